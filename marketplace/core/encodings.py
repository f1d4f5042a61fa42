"""Answers in as few bytes as the browser can read.

Static files are compressed once, at the start (core.assets); here are the pages, made while somebody waits."""

import gzip
from functools import lru_cache
from typing import Final

import brotli
from flask import Flask, Response, request

SMALLEST: Final = 600  # bytes under which nothing is won
KINDS: Final = ("text/", "application/json", "application/problem+json", "image/svg+xml")
IDENTITY: Final = ""
LATER: Final = "pavilion.encoded_later"  # in the WSGI environment: somebody before Flask sees to it


def install(app: Flask) -> None:
    app.after_request(compress)


def compress(response: Response) -> Response:
    if request.environ.get(LATER) or response.direct_passthrough or response.is_streamed:
        return response
    body = response.get_data()
    if "Content-Encoding" in response.headers or not is_worth_it(response.mimetype or "", len(body)):
        return response
    response.vary.add("Accept-Encoding")
    if encoding := preferred(request.headers.get("Accept-Encoding", "")):
        response.set_data(encode(body, encoding))
        response.headers["Content-Encoding"] = encoding
        if tag := response.get_etag()[0]:
            response.set_etag(tag, weak=True)
    return response


@lru_cache(maxsize=256)  # browsers send a handful of different ones
def preferred(accepted: str) -> str:
    """`br`, `gzip` or IDENTITY: the best that an Accept-Encoding header allows."""
    offers = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        offers[name.strip()] = weight.replace(" ", "").rstrip("0.")
    return next((encoding for encoding in ("br", "gzip") if offers.get(encoding, "q=") != "q="), IDENTITY)


def encode(body: bytes, encoding: str, *, is_kept: bool = False) -> bytes:
    """`body` in `encoding`; what is kept and sent many times is worth more work."""
    if encoding == "br":
        return bytes(brotli.compress(body, quality=7 if is_kept else 2))
    if encoding == "gzip":
        return gzip.compress(body, 9 if is_kept else 5, mtime=0)
    return body


def is_worth_it(kind: str, size: int) -> bool:
    return size >= SMALLEST and kind.startswith(KINDS)
