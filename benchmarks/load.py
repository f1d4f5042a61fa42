"""Requests per second: wrk where it is installed, else a small client of our own (slower, so only ratios count)."""

import asyncio
import re
import shutil
import subprocess
import time
from typing import Final
from urllib.parse import urlsplit

CONNECTIONS: Final = 16
HEADERS: Final = {"Accept-Encoding": "br, gzip", "User-Agent": "benchmark"}


def requests_per_second(url: str, seconds: int, **headers: str) -> float:
    """Raises when anything but success is answered."""
    everything = HEADERS | headers
    if shutil.which("wrk"):
        return by_wrk(url, seconds, everything)
    return asyncio.run(by_ourselves(url, seconds, everything))


def by_wrk(url: str, seconds: int, headers: dict[str, str]) -> float:
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "30s", *given, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", said)
    if "Non-2xx" in said or (errors and any(map(int, errors.groups()))):
        raise RuntimeError(f"{url}\n{said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found.group(1))


async def by_ourselves(url: str, seconds: int, headers: dict[str, str]) -> float:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
    message = ("\r\n".join(lines) + "\r\n\r\n").encode()
    until = time.monotonic() + seconds
    counts = await asyncio.gather(*(ask(parts.hostname, parts.port, message, until) for _ in range(CONNECTIONS)))
    return sum(counts) / seconds


async def ask(host: str | None, port: int | None, message: bytes, until: float) -> int:
    """As many answers as one connection gets."""
    reader, writer = await asyncio.open_connection(host, port)
    count = 0
    while time.monotonic() < until:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode("latin-1"))
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length
        await reader.readexactly(int(length.group(1)))
        count += 1
    writer.close()
    await writer.wait_closed()
    return count
