"""Let containers reach what listens on this machine's loopback address only.

Docker's own `host.docker.internal` is, on Linux, the address of a bridge on which nothing of the local stack listens;
a relay does, for as long as it is needed.
"""

import asyncio
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import psutil

from local.settings import HOST

NAME = "host.docker.internal"
BRIDGE = "docker0"
CHUNK = 65_536


@contextmanager
def relayed(ports: Sequence[int]) -> Iterator[None]:
    """Let containers reach these ports of 127.0.0.1 within the block, under the same numbers of `host.docker.internal`.

    Raises OSError when one is taken on Docker's bridge. Docker Desktop does this by itself.
    """
    if sys.platform != "linux":
        yield
        return
    loop = asyncio.new_event_loop()
    servers = loop.run_until_complete(_listen(_bridge_address(), ports))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_close(servers))
        loop.close()


def _bridge_address() -> str:
    """Return this machine's address on Docker's bridge; nothing beyond this machine reaches it. Raises OSError."""
    for address in psutil.net_if_addrs().get(BRIDGE, []):
        if address.family is socket.AF_INET:
            return str(address.address)
    raise OSError(f"there is no network interface {BRIDGE}: is Docker running here, with its own bridge?")


async def _listen(address: str, ports: Sequence[int]) -> list[asyncio.Server]:
    return [await asyncio.start_server(_relay_to(port), address, port) for port in ports]


async def _close(servers: Sequence[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


def _relay_to(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(HOST, port)
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))

    return relay


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
