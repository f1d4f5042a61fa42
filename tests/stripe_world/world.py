"""Runs inside Pyodide (Python 3.14), see server.mjs: one Stripe account in test mode that answers Stripe's HTTP API."""

import json
import os
from urllib.parse import unquote

if not hasattr(os, "geteuid"):  # which Emscripten lacks
    os.geteuid = os.getuid

from seahaven.http import HttpRequest
from seahaven.http.runtime import dispatch
from seahaven_stripe_world import world
from seahaven_stripe_world.http_api import handle

account = world.instance(clock_mode="wall", startup={"livemode": False})


def answer(method: str, url: str, headers: str, body: str) -> list[object]:
    """Status, headers and body of one request; `body` holds its bytes as latin-1."""
    path, _, query = url.partition("?")
    asked = HttpRequest(method, unquote(path), query, tuple(map(tuple, json.loads(headers))), body.encode("latin-1"))
    said = dispatch(account, handle, asked)
    return [said.status, [list(pair) for pair in said.headers], said.body_bytes]
