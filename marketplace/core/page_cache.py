"""Pages that are the same for every stranger, answered before Flask is asked.

A view that makes such a page says what it was made from: `page_cache.tags("home", "listing:P0001")`. A command that changes
one of these things says `page_cache.expire(session, "listing:P0001")`: once it is committed the outbox raises the version of
the tag, and within a second every process knows, and makes the pages concerned anew.
Anybody with a cookie other than language and size of text goes past all this, and so does a query nobody expects."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from flask import Flask, has_request_context, request
from sqlalchemy.orm import Session

from marketplace.core import encodings, logs, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.languages import DEFAULT, LANGUAGES
from marketplace.core.page_versions import Versions, raise_versions

TOPIC: Final = "pages.changed"
MOST_BYTES: Final = 24 * 2**20
LONGEST_LIFE: Final = 60.0  # seconds: pages also depend on the hour, which no tag tells
QUERY: Final = frozenset(
    {
        *("q", "category", "county", "prefecture", "sort", "page", "per_page", "min", "max", "variant"),
        *("season", "gi", "deep", "stock", "exact"),
    }
)
TAGS: Final = "pavilion.page_tags"
MADE_ANEW: Final = frozenset(
    {"content-length", "content-encoding", "cache-control", "vary", "etag", logs.REQUEST_ID.lower()}
)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = list[tuple[str, str]]


def tags(*names: str) -> None:
    """This answer is alike for every stranger who asks for it in this language, and was made from `names`."""
    if has_request_context() and TAGS in request.environ:
        request.environ[TAGS] = (*(request.environ[TAGS] or ()), *names)
        request.environ[encodings.LATER] = True


def expire(session: Session, *names: str) -> None:
    """Pages made from `names` are made anew within two seconds of the commit."""
    outbox.put(session, TOPIC, tags=sorted(names))


def collect(payloads: list[dict[str, Any]]) -> None:
    """The outbox's collector of TOPIC."""
    in_transaction(raise_versions, tags={tag for payload in payloads for tag in payload["tags"]})


def install(app: Flask) -> None:
    """Before everything that wraps the application later, so that a hit passes nothing else."""

    def engine() -> Any:
        with app.app_context():
            return db.engine

    cache = PageCache(app.wsgi_app, Versions(engine), is_on=app.config.get("PAGE_CACHE", True))
    app.wsgi_app = cache  # type: ignore[method-assign]
    app.extensions["page_cache"] = cache
    outbox.collectors[TOPIC] = collect


class Sent(NamedTuple):
    """A page in one encoding, ready to go."""

    etag: str
    headers: Headers
    body: bytes


@dataclass(slots=True)
class Page:
    born: float
    tags: tuple[str, ...]
    version: int  # the latest at which nothing that `tags` name had changed since the page was made
    headers: Headers
    body: bytes
    digest: str
    sent: dict[str, Sent] = field(default_factory=dict)

    def in_encoding(self, encoding: str) -> Sent:
        if encoding not in self.sent:
            body = encodings.encode(self.body, encoding, is_kept=True)
            etag = f'"{self.digest}{"-" if encoding else ""}{encoding}"'
            headers = [*self.headers, ("Content-Length", str(len(body))), ("ETag", etag)]
            headers += [("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding, Cookie")]
            headers += [("Content-Encoding", encoding)] if encoding else []
            self.sent[encoding] = Sent(etag, headers, body)
        return self.sent[encoding]

    @property
    def size(self) -> int:
        return len(self.body) * 2  # with what its encodings take, about


class PageCache:
    """A WSGI layer. It keeps answers 200 without Set-Cookie that a view has marked, up to MOST_BYTES, the latest used."""

    def __init__(self, app: Wsgi, versions: Versions, *, is_on: bool) -> None:
        self.app, self.versions, self.is_on = app, versions, is_on
        self.pages: OrderedDict[tuple[Any, ...], Page] = OrderedDict()
        self.bytes = self.hits = 0
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        key = key_of(environ) if self.is_on else None
        if key is None:
            return self.app(environ, start_response)
        self.versions.look()
        page = self.find(key)
        if page is None:
            return self.make(key, environ, start_response)
        self.hits += 1
        return answer(page, environ, start_response)

    def find(self, key: tuple[Any, ...]) -> Page | None:
        page = self.pages.get(key)
        if page is None or time.monotonic() - page.born > LONGEST_LIFE:
            return None
        if page.version != (latest := self.versions.latest):
            if not self.versions.unchanged_since(page.version, page.tags):
                return None
            page.version = latest
        with self._lock:
            if key in self.pages:
                self.pages.move_to_end(key)
        return page

    def make(self, key: tuple[Any, ...], environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Ask the application, and keep its answer if it may be kept. A HEAD is asked as a GET and sent without body."""
        born, version = time.monotonic(), self.versions.latest  # as they were before the page was made
        begun: list[Any] = []

        def note(status: str, headers: Headers, exc_info: Any = None) -> Any:
            begun[:] = status, headers
            return begun.append

        asked = {**environ, "REQUEST_METHOD": "GET", TAGS: None}
        answered = self.app(asked, note)
        status, headers = begun[0], begun[1]
        if not asked[TAGS] or not may_be_kept(status, headers):
            start_response(status, headers)
            return answered if environ["REQUEST_METHOD"] == "GET" else without_body(answered)
        body = b"".join(answered)
        close(answered)
        page = Page(born, asked[TAGS], version, stable(headers), body, hashlib.blake2b(body, digest_size=9).hexdigest())
        self.keep(key, page)
        return answer(page, environ, start_response)

    def keep(self, key: tuple[Any, ...], page: Page) -> None:
        with self._lock:
            if old := self.pages.pop(key, None):
                self.bytes -= old.size
            self.pages[key] = page
            self.bytes += page.size
            while self.bytes > MOST_BYTES:
                self.bytes -= self.pages.popitem(last=False)[1].size

    def clear(self) -> None:
        with self._lock:
            self.pages.clear()
            self.bytes = 0


def key_of(environ: Environ) -> tuple[Any, ...] | None:
    """What the answer may depend on; None for whoever is more than a stranger, and for questions nobody expects."""
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or "HTTP_AUTHORIZATION" in environ or path.startswith("/static/"):
        return None
    preferences = preferences_of(environ.get("HTTP_COOKIE", ""))
    query = query_of(environ.get("QUERY_STRING", ""))
    if preferences is None or query is None:
        return None
    return environ.get("HTTP_HOST"), environ["wsgi.url_scheme"], path, query, *preferences


def preferences_of(cookies: str) -> tuple[str, str] | None:
    if not cookies:
        return DEFAULT, ""
    pairs = [(name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in cookies.split(";"))]
    given = dict(pairs)
    if len(given) != len(pairs) or not given.keys() <= {"lang", "elder"}:
        return None
    language = given.get("lang", DEFAULT)
    return language if language in LANGUAGES else DEFAULT, "1" if given.get("elder") == "1" else ""


def query_of(text: str) -> tuple[tuple[str, str], ...] | None:
    if not text:
        return ()
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=40)
    except ValueError:
        return None
    return tuple(sorted(pairs)) if len(text) < 1000 and all(name in QUERY for name, _value in pairs) else None


def may_be_kept(status: str, headers: Headers) -> bool:
    return status.startswith("200 ") and not any(name.lower() == "set-cookie" for name, _value in headers)


def stable(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in MADE_ANEW]


def answer(page: Page, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    is_worth_it = len(page.body) >= encodings.SMALLEST
    sent = page.in_encoding(encodings.preferred(environ.get("HTTP_ACCEPT_ENCODING", "")) if is_worth_it else "")
    own = (logs.REQUEST_ID, logs.new_request_id())
    if is_known(environ.get("HTTP_IF_NONE_MATCH", ""), sent.etag):
        start_response("304 Not Modified", [*(pair for pair in sent.headers if not pair[0].startswith("Content-")), own])
        return []
    start_response("200 OK", [*sent.headers, own])
    return [sent.body] if environ["REQUEST_METHOD"] == "GET" else []


def is_known(header: str, etag: str) -> bool:
    return bool(header) and (header.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in header.split(",")])


def without_body(answered: Iterable[bytes]) -> Iterable[bytes]:
    close(answered)
    return []


def close(answered: Iterable[bytes]) -> None:
    if hasattr(answered, "close"):
        answered.close()
