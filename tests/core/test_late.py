"""What a process carries only when somebody asks for it: views, and the builders of addresses."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask

from marketplace.core.late import LateView, blueprint
from marketplace.core.rules import Builder, LateRule

LATE = """
from flask import Blueprint
from werkzeug.exceptions import RequestEntityTooLarge

bp = Blueprint("late", __name__, url_prefix="/late")

@bp.url_value_preprocessor
def note(endpoint, values):
    values["number"] += 1

@bp.errorhandler(RequestEntityTooLarge)
def show_too_much(error):
    return "too much", 413

@bp.get("/<int:number>")
@bp.post("/again/<int:number>")
def show(number):
    if number > 10:
        raise RequestEntityTooLarge
    return str(number)
"""
WRITES = """
from marketplace.core.db import db
from wsgi import app

with app.app_context(), db.engine.begin() as connection:
    connection.exec_driver_sql("CREATE TABLE kept (id INTEGER)")
"""


def late_modules(app: Flask) -> set[str]:
    return {view.module for view in app.view_functions.values() if isinstance(view, LateView)}


def rules(app: Flask) -> list[tuple[str, str, tuple[str, ...]]]:
    return sorted((rule.rule, rule.endpoint, tuple(sorted(rule.methods or ()))) for rule in app.url_map.iter_rules())


def hooks(app: Flask, name: str) -> list[str]:
    """The names of what hears of a blueprint's requests and errors, whose module may not have been read yet."""
    of_errors = {code: dict(kinds) for code, kinds in app.error_handler_spec[name].items()}
    heard = [f"{kind.__name__}: {view.__name__}" for kinds in of_errors.values() for kind, view in kinds.items()]
    return [*heard, *(hook.__name__ for hook in (*app.before_request_funcs[name], *app.url_value_preprocessors[name]))]


def test_each_late_module_has_the_addresses_that_it_has_when_it_is_run(app: Flask) -> None:
    found = sorted(module for module in late_modules(app) if not module.startswith("marketplace.api."))
    assert len(found) > 70
    for module in found:
        late, run = Flask("late"), Flask("run")
        late.register_blueprint(read := blueprint(module))
        run.register_blueprint(import_module(module).bp)
        assert rules(late) == rules(run), module
        assert hooks(late, read.name) == hooks(run, read.name), module


@pytest.mark.full
def test_a_process_that_nobody_asks_carries_neither_desks_nor_what_works() -> None:
    asked = "from wsgi import app, sys; app.test_client().get('/healthz'); print(*sorted(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", asked], env=os.environ | {"APP_ENV": "test"}, capture_output=True, text=True
    )
    loaded = set(told.stdout.split())
    assert "marketplace.site.home" in loaded, told.stderr
    desks = {"crowdfund.campaigns.views.officers", "marketplace.orders.views.desk", "marketplace.payments.operator.views"}
    assert not loaded & {*desks, "listings.views.sheets", "marketplace.duties", "marketplace.commands", "numpy", "PIL"}


@pytest.mark.full
def test_a_process_that_ends_closes_what_it_opened(tmp_path: Path) -> None:
    """Whoever copies the file of a database then has all of it: SQLite's log is in it."""
    told = os.environ | {"APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/shop.db"}
    subprocess.run([sys.executable, "-c", WRITES], env=told, check=True)
    assert (tmp_path / "shop.db").exists() and not (tmp_path / "shop.db-wal").exists()


def test_what_hangs_on_a_late_blueprint_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late_pages.py").write_text(LATE)
    monkeypatch.syspath_prepend(tmp_path)
    app = Flask("late")
    app.register_blueprint(blueprint("late_pages"))
    assert "late_pages" not in sys.modules
    browser = app.test_client()
    assert browser.get("/late/4").text == "5"
    assert "late_pages" in sys.modules
    assert browser.post("/late/again/9").text == "10"
    assert browser.get("/late/10").status_code == 413
    assert browser.post("/late/4").status_code == 405


def test_two_who_ask_first_at_once_are_both_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where two modules know each other, and each is half read by one of them."""
    for name, other in (("left", "right"), ("right", "left")):
        knows = f"import time\ntime.sleep(0.2)\nimport {other}_pages\ntime.sleep(0.2)\n"
        (tmp_path / f"{name}_pages.py").write_text(
            f"{knows}\ndef show():\n    return {other}_pages.WORD\n\nWORD = '{name}'\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(LateView(f"{name}_pages", "show")) for name in ("left", "right")]
        assert [each.result() for each in asked] == ["right", "left"]


@pytest.mark.parametrize("wrong", ["import os\nos.nothing_of_this_name", "raise LookupError", "def ("])
def test_a_module_that_cannot_be_read_is_an_error_that_says_so_and_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    """A mark that is asked for is then not taken for absent."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mended_pages", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    page = tmp_path / "mended_pages.py"
    page.write_text(LATE)
    app = Flask("late")
    app.register_blueprint(blueprint("mended_pages"))
    page.write_text(f"{LATE}\n{wrong}\n")
    assert app.test_client().get("/late/4").status_code == 500
    assert wrong.split(".")[-1].removeprefix("raise ") in caplog.text and "RecursionError" not in caplog.text
    with pytest.raises((ImportError, LookupError, SyntaxError)):
        getattr(app.view_functions["late.show"], "forms_are_not_checked", False)
    page.write_text(LATE)
    assert app.test_client().get("/late/4").text == "5"
    assert not getattr(app.view_functions["late.show"], "forms_are_not_checked", False)


def test_two_views_of_one_name_are_refused_at_the_start_as_when_they_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twice_pages.py").write_text(f'{LATE}\n@bp.get("/other")\ndef show():\n    return ""\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match=r"late\.show"):
        Flask("late").register_blueprint(blueprint("twice_pages"))


@pytest.mark.parametrize(
    "more",
    [
        "bp.before_request(note)",
        "pages = bp",
        "@bp.record\ndef show_more(state):\n    pass",
        '@bp.get("/more", defaults={"number": 1})\ndef show_more(number):\n    return ""',
        "@bp.errorhandler(Missing)\ndef show_more(error):\n    return ''",
    ],
)
def test_whatever_else_is_done_with_it_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    (tmp_path / "busy_pages.py").write_text(f"{LATE}\n{more}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"late|imported"):
        blueprint("busy_pages")
    with pytest.raises(ValueError, match="no module"):
        blueprint("no_such_pages")


def test_a_blueprint_made_in_another_form_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "typed_pages.py").write_text(LATE.replace("bp = ", "bp: Blueprint = "))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="typed_pages cannot be late"):
        blueprint("typed_pages")


def test_an_address_is_built_by_what_was_made_when_it_was_first_asked_for() -> None:
    app = Flask("late")
    app.url_rule_class = LateRule
    app.add_url_rule("/doors/<int:door>", "door", lambda door: str(door))
    (rule,) = [rule for rule in app.url_map.iter_rules() if rule.endpoint == "door"]
    adapter = app.url_map.bind("shop.example")
    assert isinstance(rule._build_unknown, Builder) and isinstance(rule._build, Builder)
    assert [adapter.build("door", {"door": 58, "page": 2}) for _twice in range(2)] == ["/doors/58?page=2"] * 2
    assert adapter.build("door", {"door": 58, "page": 2}, append_unknown=False) == "/doors/58"
    assert not isinstance(rule._build_unknown, Builder) and not isinstance(rule._build, Builder)
