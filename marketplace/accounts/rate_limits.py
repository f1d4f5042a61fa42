"""How often something may be tried: strict by account, loose by address, since a village shares one.

Counted in the database, or in Redis where there is one; both count atomically, whatever runs beside them. While Redis does
not answer, the database counts: nobody is kept out, and nobody tries without being counted."""

import ipaddress
import logging
import math
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Protocol

from flask import request
from sqlalchemy import Executable, Insert, bindparam, case, delete, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import RateWindow
from marketplace.core import audit, clock
from marketplace.core.db import Instant, db, dialect_of, in_transaction
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import TooMany
from marketplace.core.settings import settings

HOUR: Final = 3600
PATIENCE: Final = 0.5  # seconds for Redis
HOUSEHOLD: Final = 64  # bits of an IPv6 address: one line of a provider gets all the rest


class Counter(Protocol):
    """What a storage of the `limits` library can do, as far as we need it."""

    def incr(self, key: str, expiry: int) -> int:
        """Count one more under `key`, from one again `expiry` seconds after the first; the count."""

    def get_expiry(self, key: str) -> float:
        """When counting begins anew, in seconds since 1970."""


def hit(what: str, who: str, *, limit: int, seconds: int, is_watched: bool = False) -> None:
    """Count one try of `what` by `who` (kept as a fingerprint only). Raises TooMany beyond `limit` in a window.

    It opens a transaction of its own: a refused try counts too. The first refusal of what `is_watched` is audited."""
    whose = fingerprint(who, "rate")
    key = f"{what}:{whose}"
    tries, ends_at = counted(key, seconds, limit)
    if tries <= limit:
        return
    if is_watched and tries == limit + 1:
        burst = {"actor": "anyone", "action": "limit.reached", "subject": f"{what}:{whose[:16]}"}
        in_transaction(audit.record, **burst, limit=limit, seconds=seconds)
    raise TooMany(what, max(1, math.ceil(ends_at - clock.now().timestamp())))


def is_beyond(what: str, who: str, *, limit: int, seconds: int) -> bool:
    """Count as `hit` does, and say quietly whether that was too often: for what a refusal would tell to strangers."""
    try:
        hit(what, who, limit=limit, seconds=seconds, is_watched=True)
    except TooMany:
        return True
    return False


def counted(key: str, seconds: int, limit: int) -> tuple[int, float]:
    """How often by now, and where that is beyond `limit`, when counting begins anew."""
    if redis_url := settings().redis_url:
        from redis.exceptions import RedisError  # only where it is used

        try:
            return count_with(counter_of(redis_url), key, seconds, limit)
        except RedisError as error:
            logging.getLogger(__name__).warning("Redis does not answer, the database counts: %s", type(error).__name__)
    return count_with(Table(), key, seconds, limit)


def count_with(counter: Counter, key: str, seconds: int, limit: int) -> tuple[int, float]:
    tries = counter.incr(key, seconds)
    return tries, counter.get_expiry(key) if tries > limit else 0.0


@cache
def counter_of(redis_url: str) -> Counter:
    """Somebody waits for the answer: a Redis that is not there may cost a moment, and no second try."""
    from limits.storage import RedisStorage
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once: Any = {"retry": Retry(NoBackoff(), 0), "socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    return RedisStorage(redis_url, **once)


class Table:
    """Counts in `rate_window`."""

    def incr(self, key: str, expiry: int) -> int:
        return in_transaction(count, key=key, ends_at=clock.now() + timedelta(seconds=expiry))

    def get_expiry(self, key: str) -> float:
        found = db.session.scalar(select(RateWindow.expires_at).where(RateWindow.key == key))
        return found.timestamp() if found else 0.0


def count(session: Session, *, key: str, ends_at: datetime) -> int:
    """One statement, so that tries side by side are all counted."""
    tried = {"whose": key, "ends_at": ends_at, "now": clock.now()}
    return int(session.connection().execute(one_more(dialect_of(session)), tried).scalar_one())


@cache
def one_more(dialect: Any) -> Executable:
    first = dialect.insert(RateWindow.__table__).values(
        key=bindparam("whose"), count=1, expires_at=bindparam("ends_at", type_=Instant)
    )
    is_over = RateWindow.expires_at <= bindparam("now", type_=Instant)
    again = {
        "count": case((is_over, 1), else_=RateWindow.count + 1),
        "expires_at": case((is_over, first.excluded.expires_at), else_=RateWindow.expires_at),
    }
    counted: Insert = first.on_conflict_do_update(index_elements=[RateWindow.key], set_=again)
    return counted.returning(RateWindow.count)


def sweep(session: Session) -> None:
    session.execute(delete(RateWindow).where(RateWindow.expires_at <= clock.now()))


def address() -> str:
    """Where the request came from, as far as the trusted proxies say; of IPv6 the network of one household."""
    given = request.remote_addr or "unknown"
    try:
        parsed = ipaddress.ip_address(given)
    except ValueError:
        return given
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, HOUSEHOLD), strict=False))
        parsed = parsed.ipv4_mapped  # a server that listens on both sees IPv4 in IPv6's clothes
    return str(parsed)
