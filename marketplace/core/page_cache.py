"""Pages that are the same for every stranger, answered before Flask is asked.

A view that makes such a page says what it was made from: `page_cache.tags("home", "listing:P0001")`. A command that changes
one of these things says `page_cache.expire(session, "listing:P0001")`: once it is committed the outbox raises the version of
the tag, and within a second every process knows, and makes the pages concerned anew.
Anybody with a cookie other than language, size of text and province goes past all this, and so does a query that nobody
expects."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from flask import Flask, has_request_context, request
from sqlalchemy.orm import Session

from marketplace.core import clock, encodings, logs, memory, outbox
from marketplace.core.db import in_transaction
from marketplace.core.languages import DEFAULT, LANGUAGES
from marketplace.core.page_versions import Versions, raise_versions

TOPIC: Final = "pages.changed"
MOST_BYTES: Final = 12 * 2**20
QUERY: Final = frozenset(
    {
        *("q", "category", "county", "prefecture", "sort", "page", "per_page", "min", "max", "variant"),
        *("season", "gi", "deep", "stock", "exact", "kind", "state"),
        *("campaign", "since", "until", "before"),
        *("to", "items"),
    }
)
NEVER: Final = (  # kept elsewhere, or asked when the database may not answer
    *("/static/", "/robots.txt", "/favicon."),
    *("/healthz", "/readyz"),
)
TO_A_PROVINCE: Final = re.compile(r"to=([0-9]{6})")
BY_PROVINCE: Final = ("/listings/", "/compare")  # pages that say when goods would arrive in the province of the cookie
UNREADABLE: Final = "\ufffd"  # what decoding makes of bytes that are no text: different ones, all alike
TAGS: Final = "pavilion.page_tags"
NUMBER: Final = logs.REQUEST_ID.lower()
MADE_ANEW: Final = frozenset({"content-length", "content-encoding", "cache-control", "vary", "etag", NUMBER})

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
    """Before everything that wraps the application later, so that a hit passes nothing else. After core.memory."""
    cache = PageCache(app.wsgi_app, app.extensions["page_versions"], is_on=app.config.get("PAGE_CACHE", True))
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
        self.app, self.is_on = app, is_on
        self.pages = memory.Memory[Page](versions, most=MOST_BYTES)
        self.hits = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        key = key_of(environ) if self.is_on else None
        if key is None:
            return self.app(environ, start_response)
        kept = self.pages.find(key)
        if kept is None:
            return self.make(key, environ, start_response)
        self.hits += 1
        return answer(kept.value, environ, start_response)

    def make(self, key: tuple[Any, ...], environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Ask the application, and keep its answer if it may be kept. A HEAD is asked as a GET and sent without body."""
        since = self.pages.begin()
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
        page = Page(stable(headers), body, hashlib.blake2b(body, digest_size=9).hexdigest())
        self.pages.keep(key, page, asked[TAGS], since, page.size)
        return answer(page, environ, start_response, [pair for pair in headers if pair[0].lower() == NUMBER])


def key_of(environ: Environ) -> tuple[Any, ...] | None:
    """What the answer may depend on; None for whoever is more than a stranger, and for questions nobody expects.

    The day is part of it: a page says when goods arrive, and after midnight that would be yesterday's promise."""
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or "HTTP_AUTHORIZATION" in environ or path.startswith(NEVER):
        return None
    preferences = preferences_of(environ.get("HTTP_COOKIE", ""))
    query = query_of(environ.get("QUERY_STRING", ""))
    if preferences is None or query is None:
        return None
    language, elder, province = preferences
    known = (language, elder, province if path.startswith(BY_PROVINCE) else "")
    return environ.get("HTTP_HOST"), environ["wsgi.url_scheme"], path, query, *known, clock.day_number()


def preferences_of(cookies: str) -> tuple[str, str, str] | None:
    """Only cookies exactly as we set them: what Flask might read otherwise than we do here must not decide about others."""
    if not cookies:
        return DEFAULT, "", ""
    given = cookies.split("; ")
    languages = [name for name in LANGUAGES if f"lang={name}" in given]
    elder = "elder=1" in given
    provinces = [found[1] for each in given if (found := TO_A_PROVINCE.fullmatch(each))]
    if len(given) != len(languages) + elder + len(provinces) or len(languages) > 1 or len(provinces) > 1:
        return None
    return languages[0] if languages else DEFAULT, "1" if elder else "", provinces[0] if provinces else ""


def query_of(text: str) -> tuple[tuple[str, str], ...] | None:
    """Its pairs by name, those of the same name in their order: the first is the one that a view reads."""
    if not text:
        return ()
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=40)
    except ValueError:
        return None
    is_known = len(text) < 1000 and UNREADABLE not in text and all(name in QUERY for name, _value in pairs)
    if not is_known or any(UNREADABLE in value for _name, value in pairs):
        return None
    return tuple(sorted(pairs, key=itemgetter(0)))


def may_be_kept(status: str, headers: Headers) -> bool:
    return status.startswith("200 ") and not any(name.lower() == "set-cookie" for name, _value in headers)


def stable(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in MADE_ANEW]


def answer(page: Page, environ: Environ, start_response: StartResponse, own: Iterable[tuple[str, str]] = ()) -> list[bytes]:
    """A page that was made for this request has its number; one that was kept has none, since no line tells of it."""
    is_worth_it = len(page.body) >= encodings.SMALLEST
    sent = page.in_encoding(encodings.preferred(environ.get("HTTP_ACCEPT_ENCODING", "")) if is_worth_it else "")
    if is_known(environ.get("HTTP_IF_NONE_MATCH", ""), sent.etag):
        start_response("304 Not Modified", [pair for pair in sent.headers if not pair[0].startswith("Content-")] + [*own])
        return []
    start_response("200 OK", [*sent.headers, *own])
    return [sent.body] if environ["REQUEST_METHOD"] == "GET" else []


def is_known(header: str, etag: str) -> bool:
    return bool(header) and (header.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in header.split(",")])


def without_body(answered: Iterable[bytes]) -> Iterable[bytes]:
    close(answered)
    return []


def close(answered: Iterable[bytes]) -> None:
    if hasattr(answered, "close"):
        answered.close()
