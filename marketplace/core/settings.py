"""Typed settings from the environment; whatever is missing or contradicts itself stops the start."""

import json
import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from flask import current_app
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class AppEnvironment(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"
    TEST = "test"


class GatewayChoice(StrEnum):
    NONE = "none"
    SANDBOX = "sandbox"


class Settings(BaseSettings):
    """Everything that differs between two installations. Each field is an environment variable of the same name."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    app_env: AppEnvironment = Field(AppEnvironment.DEMO, description="demo, production or test")
    data: Path = Field(Path("data"), description="folder for everything kept: database, index, pictures, demo secrets")
    database_url: str = Field("", description="SQLAlchemy address; empty: SQLite in the data folder")
    redis_url: str = Field("", description="Redis for rate limits; empty: the database")
    base_url: str = Field("http://127.0.0.1:8000", description="the address people and webhooks reach this installation by")
    secret_key: SecretStr = Field(SecretStr(""), description="signs cookies; at least 32 characters")
    field_keys: SecretStr = Field(
        SecretStr(""), description="keys of encrypted columns, newest first: id:hex,id:hex (32 bytes each)"
    )
    fingerprint_key: SecretStr = Field(
        SecretStr(""), description="keyed hash for looking up encrypted values; never rotates"
    )
    payment_gateway: GatewayChoice | None = Field(
        None, description="sandbox (test money) or none; production refuses sandbox"
    )
    webhook_secret: SecretStr = Field(SecretStr(""), description="signs the sandbox cashier's webhooks; made by itself")
    trusted_proxies: int = Field(0, ge=0, le=4, description="how many reverse proxies in front set X-Forwarded-*")
    log_format: str = Field("auto", pattern="^(auto|json|console)$", description="json, console or auto (console in demo)")

    @model_validator(mode="after")
    def fail_closed(self) -> Self:
        if self.app_env is not AppEnvironment.PRODUCTION:
            return self
        if len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("production needs SECRET_KEY of at least 32 characters")
        if not self.field_keys.get_secret_value() or len(self.fingerprint_key.get_secret_value()) < 32:
            raise ValueError("production needs FIELD_KEYS and FINGERPRINT_KEY (at least 32 characters)")
        if self.payment_gateway is GatewayChoice.SANDBOX:
            raise ValueError("production refuses test money: PAYMENT_GATEWAY=sandbox is for demo and test")
        if not self.base_url.startswith("https://"):
            raise ValueError("production needs BASE_URL with https")
        return self

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


def load_settings(**overrides: Any) -> Settings:
    """Settings of this process. Demo and test make the secrets that nobody gave, and keep them in the data folder."""
    settings = Settings(**overrides)
    if settings.is_production:
        return settings
    settings.data.mkdir(parents=True, exist_ok=True)
    kept = keep_secrets(settings.data / "secrets.json")
    missing = {name: SecretStr(value) for name, value in kept.items() if not getattr(settings, name).get_secret_value()}
    return settings.model_copy(update=missing)


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
