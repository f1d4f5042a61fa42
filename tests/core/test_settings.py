import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from marketplace.core.settings import BadSettings, GatewayChoice, load_settings

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

    assert len(first.secret_key.reveal()) > 40
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
        {"field_keys": "garbage"},
        {"field_keys": "k1:abcd"},
        {"field_keys": f"k1:{'11' * 32},k1:{'22' * 32}"},
        {"field_keys": f":{'11' * 32}"},
    ],
)
def test_production_fails_closed(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        load_settings(**{**GOOD, **wrong}, data=tmp_path)


STRIPE = {"payment_gateway": "stripe", "stripe_secret_key": "sk_live_4242", "stripe_webhook_secret": "whsec_4242"}


def test_production_takes_live_money(tmp_path: Path) -> None:
    for key in ("sk_live_4242", "rk_live_4242"):
        settings = load_settings(**GOOD, **STRIPE | {"stripe_secret_key": key}, data=tmp_path)
        assert settings.gateway is GatewayChoice.STRIPE


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stripe_secret_key": "sk_test_4242"}, "STRIPE_SECRET_KEY must be a live key"),
        ({"stripe_secret_key": ""}, "PAYMENT_GATEWAY=stripe needs STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET"),
        ({"stripe_webhook_secret": ""}, "PAYMENT_GATEWAY=stripe needs STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET"),
        ({"stripe_api_base": "http://stripe.example"}, "STRIPE_API_BASE must begin with https://"),
    ],
)
def test_production_refuses_test_money_and_half_a_stripe(wrong: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as refusal:
        load_settings(**GOOD, **STRIPE | wrong, data=tmp_path)
    assert str(refusal.value) == said


@pytest.mark.parametrize("app_env", ["demo", "test"])
def test_live_money_is_for_production_only(app_env: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="live money is for production"):
        load_settings(app_env=app_env, **STRIPE, data=tmp_path)
    assert load_settings(app_env=app_env, **STRIPE | {"stripe_secret_key": "sk_test_4242"}, data=tmp_path)


@pytest.mark.parametrize("app_env", ["demo", "test"])
@pytest.mark.parametrize(
    "base_url",
    ["https://pavilion.example", "http://192.168.1.7:8000", "http://0.0.0.0", "http://127.0.0.1.example", "x", "http://["],
)
def test_what_is_for_this_machine_goes_no_further(app_env: str, base_url: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="BASE_URL leads beyond it"):
        load_settings(app_env=app_env, base_url=base_url, data=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "base_url", ["http://localhost:8000", "http://127.0.0.1:8123", "http://[::1]:8000", "http://a.localhost"]
)
def test_this_machine_has_several_names(base_url: str, tmp_path: Path) -> None:
    assert load_settings(base_url=base_url, data=tmp_path).base_url == base_url


def test_every_problem_has_its_sentence_and_no_value_is_shown(tmp_path: Path) -> None:
    wrong = {"secret_key": "hunter2", "field_keys": "k1:c0ffee", "base_url": "http://user:pass@shop.example"}

    with pytest.raises(BadSettings) as said:
        load_settings(**{**GOOD, **wrong}, data=tmp_path)

    assert str(said.value).splitlines() == [
        "FIELD_KEYS must be id:hex,id:hex with 32 bytes each",
        "production needs SECRET_KEY of at least 32 characters",
        "production needs BASE_URL with https",
    ]
    assert said.value.__cause__ is None and said.value.__context__ is None


def test_a_start_with_bad_settings_ends_in_sentences(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA": str(tmp_path), "APP_ENV": "production", "TRUSTED_PROXIES": "many"}
    environment |= {"SECRET_KEY": "hunter2"}
    root = Path(__file__).parents[2]

    tried = subprocess.run([sys.executable, "-c", "import wsgi"], cwd=root, env=environment, capture_output=True, text=True)

    assert tried.returncode == 1
    assert tried.stderr.splitlines()[0] == "The marketplace cannot start:"
    assert "  TRUSTED_PROXIES must be a whole number\n" in tried.stderr
    assert "Traceback" not in tried.stderr and "hunter2" not in tried.stderr


def test_keys_that_were_kept_are_looked_at_as_well(tmp_path: Path) -> None:
    load_settings(data=tmp_path)
    kept = json.loads((tmp_path / "secrets.json").read_text())
    (tmp_path / "secrets.json").write_text(json.dumps(kept | {"field_keys": "garbage"}))

    with pytest.raises(BadSettings, match="FIELD_KEYS must be"):
        load_settings(data=tmp_path)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"app_env": "staging"}, "APP_ENV must be one of demo, production, test"),
        ({"trusted_proxies": "9"}, "TRUSTED_PROXIES must be at most 4"),
        ({"trusted_proxies": "-1"}, "TRUSTED_PROXIES must be at least 0"),
        ({"trusted_proxies": "1.5"}, "TRUSTED_PROXIES must be a whole number"),
        ({"trusted_proxies": ""}, "TRUSTED_PROXIES must be a whole number"),
        ({"stripe_connect": "perhaps"}, "STRIPE_CONNECT must be true or false"),
        ({"sandbox_settles_in": "EUR"}, "SANDBOX_SETTLES_IN must be CNY, HKD, USD or JPY"),
        ({"log_format": "xml"}, "LOG_FORMAT must be json, console or auto"),
        ({"sandbox_faults": "drop;delay"}, "SANDBOX_FAULTS must be drop, duplicate, delay, reorder, corrupt, wrong-secret, "
         "old-timestamp, with commas between"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(
    wrong: dict[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name.upper(), value)
    with pytest.raises(BadSettings) as said:
        load_settings(data=tmp_path)
    assert str(said.value) == sentence


def test_the_environment_is_read_in_the_types_of_the_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"DATA": str(tmp_path), "stripe_connect": "Yes", "TRUSTED_PROXIES": " 2", "PAYMENT_GATEWAY": "none"}
    for name, value in {**given, "SANDBOX_FAULTS": "drop,delay"}.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert (settings.data, settings.stripe_connect, settings.trusted_proxies) == (tmp_path, True, 2)
    assert (settings.payment_gateway, settings.sandbox_faults) == (GatewayChoice.NONE, "drop,delay")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)

    assert settings.secret_key.reveal() not in repr(settings)
