"""How often something may be tried: strict by account, loose by address, since a village shares one.

Counted in the database, or in Redis where there is one."""

from datetime import timedelta
from functools import cache
from typing import Any, Final

from flask import request
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace.accounts.models import RateWindow
from marketplace.core import clock
from marketplace.core.db import in_transaction, insert_or_ignore
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import TooMany
from marketplace.core.settings import settings

HOUR: Final = 3600


def hit(what: str, who: str, *, limit: int, seconds: int) -> None:
    """Count one try of `what` by `who` (kept as a fingerprint only). Raises TooMany beyond `limit` in a window.

    A transaction of its own: a refused try counts too."""
    key = f"{what}:{fingerprint(who, 'rate')}"
    if settings().redis_url:
        waits = hit_redis(key, limit, seconds)
    else:
        waits = in_transaction(hit_database, key=key, limit=limit, seconds=seconds)
    if waits:
        raise TooMany(what, waits)


def hit_database(session: Session, *, key: str, limit: int, seconds: int) -> int:
    """Seconds to wait, 0 if this try is within the limit."""
    now = clock.now()
    session.execute(delete(RateWindow).where(RateWindow.key == key, RateWindow.expires_at <= now))
    insert_or_ignore(session, RateWindow, {"key": key, "count": 0, "expires_at": now + timedelta(seconds=seconds)})
    session.execute(update(RateWindow).where(RateWindow.key == key).values(count=RateWindow.count + 1))
    row = session.execute(select(RateWindow.count.label("tries"), RateWindow.expires_at).where(RateWindow.key == key)).one()
    return 0 if row.tries <= limit else max(1, int((row.expires_at - now).total_seconds()))


def hit_redis(key: str, limit: int, seconds: int) -> int:
    from limits import RateLimitItemPerSecond

    strategy, item = redis_strategy(settings().redis_url), RateLimitItemPerSecond(limit, seconds)
    if strategy.hit(item, key):
        return 0
    return max(1, int(strategy.get_window_stats(item, key).reset_time - clock.now().timestamp()))


@cache
def redis_strategy(url: str) -> Any:
    from limits.storage import RedisStorage
    from limits.strategies import FixedWindowRateLimiter

    return FixedWindowRateLimiter(RedisStorage(url))


def sweep(session: Session) -> None:
    session.execute(delete(RateWindow).where(RateWindow.expires_at <= clock.now()))


def address() -> str:
    """Where the request came from, as far as the trusted proxies say."""
    return request.remote_addr or "unknown"
