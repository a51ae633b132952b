"""An HTTP proxy on loopback, as companies have them: `python -m tests.proxy --login user:password`.

It passes on absolute URLs and tunnels CONNECT, and answers 407 to whoever does not log in. Each
request is a line on stdout: its status, its first line.
"""

import argparse
import asyncio
import base64
from contextlib import suppress
from urllib.parse import urlsplit

NO = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n"
END = b"content-length: 0\r\n\r\n"


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Proxy:
    def __init__(self, login: str) -> None:
        self._wanted = "Basic " + base64.b64encode(login.encode()).decode() if login else ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, OSError):
            return writer.close()
        line, *fields = head.rstrip().split("\r\n")
        headers = {k.lower(): v for k, _, v in (field.partition(": ") for field in fields)}
        if self._wanted and headers.get("proxy-authorization") != self._wanted:
            print("407", line, flush=True)
            writer.write(NO + END)
            return writer.close()
        print("200", line, flush=True)
        method, target, _ = line.split(" ")
        tunnels = method == "CONNECT"
        url = urlsplit(f"//{target}" if tunnels else target)
        to_reader, to_writer = await asyncio.open_connection(url.hostname, url.port or 80)
        if tunnels:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            kept = [f for f in fields if not f.lower().startswith("proxy-")]
            path = url.path + (f"?{url.query}" if url.query else "")
            to_writer.write("\r\n".join([f"{method} {path} HTTP/1.1", *kept, "", ""]).encode())
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))


async def main(login: str, port: int) -> None:
    server = await asyncio.start_server(Proxy(login).serve, "127.0.0.1", port)
    print("proxy ready", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--login", default="")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(main(options.login, options.port))
