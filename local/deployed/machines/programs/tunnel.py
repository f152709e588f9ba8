"""Run on MLflow's machine in place of Session Manager's agent: its own address leads to its loopback."""

import asyncio
import socket

PORT = 5000
CHUNK = 65_536


async def main() -> None:
    """Serve until the machine ends."""
    server = await asyncio.start_server(relay, socket.gethostbyname(socket.gethostname()), PORT)
    await server.serve_forever()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one connection; it is closed where the proxy does not listen."""
    try:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", PORT)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))


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
