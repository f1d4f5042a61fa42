import stat
from pathlib import Path
from typing import Any

import pytest

from marketplace.core.settings import GatewayChoice, load_settings

GOOD: dict[str, Any] = {
    "app_env": "production",
    "secret_key": "s" * 40,
    "field_keys": f"k1:{'11' * 32}",
    "fingerprint_key": "f" * 40,
    "base_url": "https://pavilion.example",
}


def test_a_demonstration_makes_its_secrets_and_keeps_them(tmp_path: Path) -> None:
    first = load_settings(data=tmp_path / "data")
    second = load_settings(data=tmp_path / "data")

    assert len(first.secret_key.get_secret_value()) > 40
    assert first == second
    assert stat.S_IMODE((tmp_path / "data/secrets.json").stat().st_mode) == 0o600
    assert first.gateway is GatewayChoice.SANDBOX


def test_production_starts_with_all_it_needs_and_no_gateway(tmp_path: Path) -> None:
    settings = load_settings(**GOOD, data=tmp_path)

    assert settings.gateway is GatewayChoice.NONE
    assert not (tmp_path / "secrets.json").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret_key": ""},
        {"secret_key": "short"},
        {"field_keys": ""},
        {"fingerprint_key": ""},
        {"payment_gateway": "sandbox"},
        {"base_url": "http://pavilion.example"},
        {"app_env": "staging"},
        {"trusted_proxies": 9},
    ],
)
def test_production_fails_closed(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        load_settings(**{**GOOD, **wrong}, data=tmp_path)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)

    assert settings.secret_key.get_secret_value() not in repr(settings)
