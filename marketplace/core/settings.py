"""Typed settings from the environment; whatever is missing or contradicts itself stops the start."""

import ipaddress
import json
import os
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from marketplace.core.environment import Secret, read, setting

LIVE_KEYS = ("sk_live_", "rk_live_")
FAULTS = ("drop", "duplicate", "delay", "reorder", "corrupt", "wrong-secret", "old-timestamp")


class AppEnvironment(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"
    TEST = "test"


class GatewayChoice(StrEnum):
    NONE = "none"
    SANDBOX = "sandbox"
    STRIPE = "stripe"


class BadSettings(ValueError):
    """One sentence a line, and never a value: it may be a secret."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two installations. Each field is an environment variable of the same name."""

    app_env: AppEnvironment = setting(AppEnvironment.DEMO, "demo, production or test")
    data: Path = setting(Path("data"), "folder for everything kept: database, index, pictures, demo secrets")
    database_url: str = setting("", "SQLAlchemy address; empty: SQLite in the data folder")
    redis_url: str = setting("", "Redis for rate limits; empty: the database")
    base_url: str = setting("http://127.0.0.1:8000", "the address people and webhooks reach this installation by")
    secret_key: Secret = setting(Secret(""), "signs cookies; at least 32 characters")
    field_keys: Secret = setting(Secret(""), "keys of encrypted columns, newest first: id:hex,id:hex (32 bytes each)")
    fingerprint_key: Secret = setting(Secret(""), "keyed hash for looking up encrypted values; never rotates")
    payment_gateway: GatewayChoice | None = setting(
        None, "stripe, sandbox (test money) or none; production refuses test money"
    )
    webhook_secret: Secret = setting(Secret(""), "signs the sandbox cashier's webhooks; made by itself")
    sandbox_fee_basis_points: int = setting(
        60, "what the sandbox cashier keeps of each payment, in hundredths of a percent", least=0, most=1000
    )
    sandbox_settles_in: str = setting(
        "CNY",
        "what the sandbox cashier pays into its balance: CNY, HKD, USD or JPY",
        pattern="CNY|HKD|USD|JPY",
        choices="CNY, HKD, USD or JPY",
    )
    sandbox_faults: str = setting(
        "",
        f"a try each: {', '.join(FAULTS)}",
        pattern=f"(({'|'.join(FAULTS)})(,|$))*",
        choices=f"{', '.join(FAULTS)}, with commas between",
    )
    stripe_secret_key: Secret = setting(Secret(""), "a live key in production, a test key elsewhere")
    stripe_webhook_secret: Secret = setting(
        Secret(""), "whsec_…; two with a comma between them while one replaces the other"
    )
    stripe_methods: str = setting("card,alipay,wechat_pay", "ways of paying that the Stripe account has")
    stripe_least_fen: int = setting(400, "the smallest gift in fen; Stripe refuses less than 4 HKD or 0.50 USD", least=1)
    stripe_api_base: str = setting("https://api.stripe.com", "where Stripe answers; tests have a peer")
    stripe_connect: bool = setting(False, "true: Connect is set up, so that sellers can be paid by transfers")
    smtp_url: Secret = setting(
        Secret(""), "sends e-mail: smtp://name:password@host:587 with STARTTLS, or smtps://…; not in a demo"
    )
    mail_from: str = setting("", "the sender of e-mail, such as 山西青年电商扶贫馆 <pavilion@example.org>")
    sms_url: str = setting("", "a bridge that sends SMS: takes POST of key, to and text as JSON; not in a demo")
    sms_secret: Secret = setting(Secret(""), "what the bridge is shown: Authorization: Bearer …")
    after_sales_limit_fen: int = setting(
        5000, "damage with pictures up to this is refunded at once, in fen; 0: never without the station", least=0
    )
    trusted_proxies: int = setting(0, "how many reverse proxies in front set X-Forwarded-*", least=0, most=4)
    log_format: str = setting(
        "auto", "json, console or auto (console in demo)", pattern="auto|json|console", choices="json, console or auto"
    )

    def problems(self) -> Iterator[str]:
        keys = self.field_keys.reveal()
        if keys:
            try:
                read_keys(keys)
            except ValueError as error:
                yield str(error)
        yield from self.problems_with_stripe()
        yield from self.problems_with_messages()
        if not self.is_production:
            if not is_loopback(self.base_url):
                yield f"APP_ENV={self.app_env} is for this machine, but BASE_URL leads beyond it: set APP_ENV=production"
            return
        if len(self.secret_key.reveal()) < 32:
            yield "production needs SECRET_KEY of at least 32 characters"
        if not keys or len(self.fingerprint_key.reveal()) < 32:
            yield "production needs FIELD_KEYS and FINGERPRINT_KEY (at least 32 characters)"
        if self.payment_gateway is GatewayChoice.SANDBOX:
            yield "production refuses test money: PAYMENT_GATEWAY=sandbox is for demo and test"
        if not self.base_url.startswith("https://"):
            yield "production needs BASE_URL with https"

    def problems_with_stripe(self) -> Iterator[str]:
        """Live keys are for production, and production takes no others."""
        if self.payment_gateway is not GatewayChoice.STRIPE:
            return
        key = self.stripe_secret_key.reveal()
        if not key or not self.stripe_webhook_secret.reveal():
            yield "PAYMENT_GATEWAY=stripe needs STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET"
        elif key.startswith(LIVE_KEYS) is not self.is_production:
            right = "a live key" if self.is_production else "a test key: live money is for production"
            yield f"STRIPE_SECRET_KEY must be {right}"
        if not self.stripe_api_base.startswith("https://") and not is_loopback(self.stripe_api_base):
            yield "STRIPE_API_BASE must begin with https://"

    def problems_with_messages(self) -> Iterator[str]:
        if (mail := self.smtp_url.reveal()) and not leads_somewhere(mail, {"smtp", "smtps"}):
            yield "SMTP_URL must be smtp://name:password@host:port or smtps://…"
        if mail and "@" not in self.mail_from:
            yield "SMTP_URL needs MAIL_FROM, an address"
        if self.sms_url and not self.sms_url.startswith("https://") and not is_loopback(self.sms_url):
            yield "SMS_URL must begin with https://"
        if self.sms_url and not self.sms_secret.reveal():
            yield "SMS_URL needs SMS_SECRET"

    @property
    def gateway(self) -> GatewayChoice:
        if self.payment_gateway is not None:
            return self.payment_gateway
        return GatewayChoice.NONE if self.app_env is AppEnvironment.PRODUCTION else GatewayChoice.SANDBOX

    @property
    def is_demo(self) -> bool:
        return self.app_env is AppEnvironment.DEMO

    @property
    def is_production(self) -> bool:
        return self.app_env is AppEnvironment.PRODUCTION

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data.resolve() / 'pavilion.db'}"

    @property
    def search_folder(self) -> Path:
        return self.data / "search"

    @property
    def media_folder(self) -> Path:
        return self.data / "media"

    @property
    def private_media_folder(self) -> Path:
        """Pictures and sheets that only those may see whom they concern."""
        return self.data / "private-media"


def load_settings(**overrides: Any) -> Settings:
    """Settings of this process. Demo and test make the secrets that nobody gave, and keep them in the data folder.

    Raises BadSettings, which names every problem and shows no value."""
    wrong: list[str] = []
    settings = Settings(**read(Settings, overrides, wrong))
    if wrong := wrong or list(settings.problems()):
        raise BadSettings("\n".join(wrong))
    if settings.is_production:
        return settings
    settings.data.mkdir(parents=True, exist_ok=True)
    kept = keep_secrets(settings.data / "secrets.json")
    missing: dict[str, Any] = {name: Secret(value) for name, value in kept.items() if not getattr(settings, name)}
    complete = replace(settings, **missing)
    if wrong := list(complete.problems()):
        raise BadSettings("\n".join(wrong))
    return complete


def read_keys(described: str) -> dict[str, bytes]:
    """`id:hex,id:hex`, newest first; each key has 32 bytes and a name of its own. Raises ValueError, without the text."""
    pairs = [part.strip().partition(":") for part in described.split(",") if part.strip()]
    try:
        keys = {name: bytes.fromhex(value) for name, _colon, value in pairs}
    except ValueError:
        keys = {}
    if not keys or any(len(key) != 32 or not name.isalnum() for name, key in keys.items()):
        raise ValueError("FIELD_KEYS must be id:hex,id:hex with 32 bytes each")
    if len(keys) < len(pairs):
        raise ValueError("FIELD_KEYS names two keys alike: each needs an id of its own")
    return keys


def leads_somewhere(url: str, schemes: Collection[str]) -> bool:
    """It has one of these schemes, a host, and if any a port that may be one."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """The address leads to this machine and no further."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def keep_secrets(path: Path) -> dict[str, str]:
    """The secrets of a demonstration: made at the first start, readable by their owner only."""
    if not path.exists():
        made = {
            "secret_key": secrets.token_urlsafe(48),
            "field_keys": f"k1:{secrets.token_bytes(32).hex()}",
            "fingerprint_key": secrets.token_urlsafe(48),
            "webhook_secret": f"whsec_{secrets.token_hex(24)}",
        }
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made))
        try:
            os.link(draft, path)  # fails if another process was faster: then its secrets count
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    found: dict[str, str] = json.loads(path.read_text())
    return found


def settings() -> Settings:
    """The settings of the running application."""
    found: Settings = current_app.extensions["settings"]
    return found
