"""Run in the container of MLflow's machine: TLS on port 443, a tunnel on port 5000, before MLflow's socket."""

import asyncio
import ssl
from collections.abc import Awaitable

SOCKET = "/srv/run/mlflow.sock"
CERTIFICATE = "/srv/run/server.pem"
CHUNK = 65_536


async def main() -> None:
    """Serve until the container ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    servers = (await asyncio.start_server(relay, port=443, ssl=context), await asyncio.start_server(relay, port=5000))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one connection; it is closed where MLflow does not listen."""
    try:
        there_reader, there_writer = await asyncio.open_unix_connection(SOCKET)
    except OSError:
        writer.close()
        return
    copies: list[Awaitable[None]] = [copy(reader, there_writer), copy(there_reader, writer)]
    await asyncio.gather(*copies)


async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Carry one direction to its end."""
    try:
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


asyncio.run(main())
