"""What `make run` may take as its folder, and what `make reset` may throw away: never anything of somebody's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bin"))

import folder  # noqa: E402 (the programs in bin/ are no package)


def reset(data: Path | str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "DATA": str(data), "HOME": str(home or Path.home())}
    return subprocess.run(
        [sys.executable, str(ROOT / "bin" / "reset.py")], env=environment, capture_output=True, text=True, check=False
    )


def fill(data: Path) -> None:
    """As `make run` leaves it."""
    assert folder.take(data) == ""
    for place in ("media", "private-media"):
        (data / place / "ab").mkdir(parents=True)
    for name in (
        "pavilion.db",
        "pavilion.db-wal",
        "prepared.json",
        "welcome.txt",
        "media/ab/640.webp",
        "private-media/ab/640.webp",
    ):
        (data / name).write_text("x")


def everything_in(place: Path) -> set[str]:
    return {path.relative_to(place).as_posix() for path in place.rglob("*")}


def test_what_was_made_is_thrown_away_and_the_folder_with_it(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    done = reset(tmp_path / "data")
    assert done.returncode == 0 and "Thrown away" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_put_there_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    (data / "letters").mkdir()
    (data / "letters" / "to-mother.txt").write_text("dear")

    done = reset(data)

    assert done.returncode == 0 and "letters" in done.stdout
    assert everything_in(data) == {"letters", "letters/to-mother.txt"}


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.webp").write_text("x")
    (tmp_path / "data" / "search").symlink_to(tmp_path / "photos")

    reset(tmp_path / "data")

    assert everything_in(tmp_path) == {"photos", "photos/a.webp"}


@pytest.mark.parametrize("names", [["prepared.json"], ["welcome.txt", "media/a"], ["secrets.json"], []])
def test_without_the_marker_nothing_is_touched(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    before = everything_in(tmp_path)

    done = reset(tmp_path)

    assert done.returncode == 1 and "remove it yourself" in done.stdout
    assert everything_in(tmp_path) == before and tmp_path.is_dir()


def test_a_home_and_what_lies_above_it_are_never_thrown_away(tmp_path: Path) -> None:
    home = tmp_path / "people" / "guo"
    home.mkdir(parents=True)
    for place in (home, home.parent):
        (place / folder.MARKER).touch()
        (place / "media").mkdir()
        before = everything_in(tmp_path)
        assert reset(place, home=home).returncode == 1
        assert everything_in(tmp_path) == before


def test_the_root_and_the_checkout_are_precious() -> None:
    for place in (Path("/"), ROOT, ROOT.parent, Path.home()):
        assert folder.is_precious(place.resolve())
    assert not folder.is_precious(ROOT / "data")


def test_a_folder_that_is_not_there_is_nothing_to_throw_away(tmp_path: Path) -> None:
    done = reset(tmp_path / "none")
    assert done.returncode == 0 and "does not exist" in done.stdout


def test_a_folder_of_somebodys_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    assert "holds other things already" in folder.take(tmp_path)
    assert everything_in(tmp_path) == {"thesis.tex"}


def test_a_new_an_empty_and_our_own_folder_are_taken(tmp_path: Path) -> None:
    for place in (tmp_path / "new" / "one", tmp_path / "new" / "one", tmp_path / "empty"):
        place.mkdir(parents=True, exist_ok=True)
        assert folder.take(place) == "" and folder.is_ours(place)


def test_a_folder_that_the_commands_began_is_ours(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"fingerprint_key": "x", "field_keys": "k1:…"}))
    (tmp_path / "assets").mkdir()
    assert folder.take(tmp_path) == ""


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be used" in folder.take(tmp_path / "file")
