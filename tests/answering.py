"""Servers of tests' own that answer in a thread, and are gone afterwards at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread
from typing import Final

LOOKS: Final = {"poll_interval": 0.02}  # seconds until it sees that it has to end: half a second of each test otherwise


@contextmanager
def answering(server: BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs=LOOKS)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
