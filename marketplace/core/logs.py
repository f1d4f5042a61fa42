"""What the installation writes about itself: one line for each thing that happened, tied together by the request's id.

No names, addresses, phone numbers, query strings, bodies or cookies: a line says which view answered, how and how long."""

import logging
import secrets
import sys
import time
from typing import Any, Final

import structlog
from flask import Flask, Response, g, got_request_exception, has_request_context, request
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.typing import Processor

from marketplace.core.settings import Settings

REQUEST_ID: Final = "X-Request-ID"
PLAIN: Final = structlog.dev.plain_traceback  # the others print the values of variables, people's among them
QUIET: Final = frozenset({"healthz", "readyz"})
SHARED: Final[list[Processor]] = [
    merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def install(app: Flask, settings: Settings) -> None:
    """Request ids on every answer; the root logger as well, except in tests, where pytest listens."""
    if not app.testing:
        configure(as_json=writes_json(settings))
    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(lambda _error: clear_contextvars())
    got_request_exception.connect(report, app)
    app.logger.addFilter(lambda record: record.exc_info is None)  # Flask's own line names the path, ours only the view


def writes_json(settings: Settings) -> bool:
    return settings.log_format == "json" or (settings.log_format == "auto" and not settings.is_demo)


def configure(*, as_json: bool) -> None:
    """Everything that any library logs goes through structlog, as JSON or for a person to read."""
    level = logging.INFO if as_json else logging.WARNING
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),  # what nobody reads costs nothing
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Processor] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=PLAIN)]
    if as_json:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)


def new_request_id() -> str:
    """Ours alone: an id from outside could be anything, and could be anyone's."""
    return secrets.token_hex(8)


def request_id() -> str:
    """For a page that asks to be quoted."""
    return str(g.get("request_id", "")) if has_request_context() else ""


def begin() -> None:
    g.request_id, g.request_began = new_request_id(), time.perf_counter()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)


def finish(response: Response) -> Response:
    if "request_id" not in g:  # the request was turned away before it began
        begin()
    response.headers[REQUEST_ID] = g.request_id
    if request.endpoint not in QUIET:
        logger().info("answered", status=response.status_code, milliseconds=elapsed(), **what())
    return response


def report(_app: Flask, exception: BaseException, **_more: Any) -> None:
    logger().error("failed", exc_info=exception, **what())


def what() -> dict[str, str]:
    return {"method": request.method, "view": request.endpoint or "-"}


def elapsed() -> float:
    return float(round((time.perf_counter() - g.request_began) * 1000, 1))


def logger() -> Any:
    return structlog.stdlib.get_logger("web")
