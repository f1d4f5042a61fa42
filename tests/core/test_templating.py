"""Templates compiled ahead of the web processes."""

from pathlib import Path

from flask import Flask

from marketplace.core import templating


def test_every_template_is_compiled_ahead_and_only_once(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.html").write_text("{% include 'parts/b.html' %}")
    (folder / "parts").mkdir()
    (folder / "parts" / "b.html").write_text("{{ name }}")

    first, again = compiled(folder, tmp_path / "kept"), compiled(folder, tmp_path / "kept")
    assert len(first) == 2 and again == first

    (folder / "a.html").write_text("{{ other }}")
    changed = compiled(folder, tmp_path / "kept")
    assert len(changed) == 2 and len(changed.items() - first.items()) == 1


def compiled(pages: Path, kept: Path) -> dict[str, int]:
    """What a start leaves in the folder: names, and when each was written."""
    app = Flask("pages", template_folder=str(pages))
    templating.install(app, kept)
    templating.compile_all(app)
    return {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
