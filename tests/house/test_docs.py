"""What is written down is true of the code."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from marketplace.core.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("crowdfund", "listings", "marketplace", "search_index", "benchmarks", "tests")


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_explained(name: str) -> None:
    assert f"| `{name.upper()}` |" in (ROOT / "docs" / "settings.md").read_text("utf-8")


@pytest.mark.parametrize("program", ["Makefile", "bin/run.py", "tests/peers.py", "benchmarks/__main__.py"])
def test_every_variable_of_the_commands_is_explained(program: str) -> None:
    source = (ROOT / program).read_text("utf-8")
    asked = re.findall(r'environ\.(?:get|setdefault)\(\s*"([A-Z_]+)"', source) + re.findall(r"^([A-Z]+) \?=", source, re.M)
    explained = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert [name for name in asked if f"`{name}`" not in explained and f"`{name}=" not in explained] == []


def test_everything_that_is_asked_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for file, asked in {
        "requirements.txt": project["dependencies"],
        "requirements-dev.txt": [*project["dependencies"], *project["optional-dependencies"]["dev"]],
    }.items():
        pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / file).read_text("utf-8"), re.M))
        names = {re.split(r"[\[<>=;\s]", one)[0].lower().replace("_", "-") for one in asked}
        assert names - pinned == set(), f"make requirements ({file})"


def test_both_files_pin_the_same_versions() -> None:
    pins = {
        file: dict(re.findall(r"^([a-z0-9-]+)==(\S+) [\\;]", (ROOT / file).read_text("utf-8"), re.M))
        for file in ("requirements.txt", "requirements-dev.txt")
    }
    running, developing = pins["requirements.txt"], pins["requirements-dev.txt"]
    assert {name: version for name, version in running.items() if developing.get(name) != version} == {}


def test_no_registry_is_named() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        assert not re.search(r"https?://|--index|--find-links", (ROOT / file).read_text("utf-8"))


@pytest.mark.parametrize(
    "page", sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_links_lead_somewhere(page: str) -> None:
    source = ROOT / page
    linked = re.findall(r"\]\(((?!https?:|mailto:|#)[^)#\s]+)", source.read_text("utf-8"))
    assert [link for link in linked if not (source.parent / link).exists()] == []


def test_every_page_that_is_named_is_here() -> None:
    """A rule whose source is a page that only its author has cannot be looked up by anybody else."""
    sources = [path for folder in (*PACKAGES, "bin", "docs", "templates") for path in (ROOT / folder).rglob("*.*")]
    sources = [path for path in [*sources, *ROOT.glob("*.md")] if path.suffix in {".py", ".md", ".html"}]
    texts = {path.relative_to(ROOT).as_posix(): re.sub(r"https?://\S+", "", path.read_text("utf-8")) for path in sources}
    pages = {path.name for path in sources if path.suffix == ".md"}
    named = {file: set(re.findall(r"[\w.-]+\.md\b", text)) - pages for file, text in texts.items()}
    assert {file: missing for file, missing in named.items() if missing} == {}
