"""Templates: no inline script or style (the policy forbids them), nothing let past escaping, no words outside translation,
no decision that Enter in a field takes (it presses the first button of a form).

Standard library only. A line that must break a rule says why: {# allowed: ... #}"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from environment import ROOT
from progress import say

TEMPLATES = ROOT / "templates"
ALLOWED = "{# allowed:"
UNESCAPED = re.compile(r"\|\s*safe\b|autoescape\s+false|Markup\(")
DECIDES = re.compile(r'<button\b[^>]*\bname="decision"')
UNDECIDED = "forms.undecided()"
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
WORDS = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]")
SPOKEN = ("alt", "aria-label", "placeholder", "title", "label", "content", "value")
NAMES = frozenset({"English", "中文", "kg"})


class Reader(HTMLParser):
    """Walks the HTML that is left when Jinja's parts are blanked out, line for line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "style" or "style" in given:
            self.note("inline style")
        if tag == "script" and "src" not in given:
            self.note("inline script")
        if handlers := [name for name in given if name.startswith("on")]:
            self.note(f"inline script: {handlers[0]}")
        if (given.get("href") or "").startswith("javascript:") or (given.get("src") or "").startswith("data:"):
            self.note("an address that the policy forbids")
        for name in SPOKEN:
            text = given.get(name) or ""
            is_data = name == "value" and given.get("type") != "submit" and tag != "button"
            is_data = is_data or (name == "value" and tag == "button") or (name == "content" and tag == "meta")
            if not is_data and is_untranslated(text):
                self.note(f"not translated: {name}={text!r}")

    def handle_data(self, data: str) -> None:
        word = WORDS.search(data)
        if word and is_untranslated(data):
            line_of_word = data[: word.start()].count("\n")
            self.note(f"not translated: {data.strip()[:60]!r}", line_of_word)

    def note(self, what: str, further: int = 0) -> None:
        self.found.append((self.getpos()[0] + further, what))


def is_untranslated(text: str) -> bool:
    return text.strip("0 \n") not in NAMES and bool(WORDS.search(text))


def blank(match: re.Match[str]) -> str:
    """Jinja's part becomes as many lines of nothing; a name keeps attributes whole."""
    return "\n" * match.group().count("\n") or "0"


def problems(path: Path) -> Iterator[str]:
    source = path.read_text("utf-8")
    lines = source.splitlines()
    reader = Reader()
    reader.feed(JINJA.sub(blank, source))
    found = [*reader.found, *((number, "unescaped") for number, line in enumerate(lines, 1) if UNESCAPED.search(line))]
    for button in DECIDES.finditer(source):
        before = source[: button.start()]
        if UNDECIDED not in before.rpartition("<form")[2]:
            found.append((before.count("\n") + 1, "Enter decides: forms.undecided() is missing"))
    for number, what in sorted(found):
        if ALLOWED not in lines[min(number, len(lines)) - 1]:
            yield f"{path.relative_to(ROOT)}:{number}: {what}"


def main() -> int:
    pages = sorted(TEMPLATES.rglob("*.html"))
    found = [line for page in pages for line in problems(page)]
    say("\n".join(found) or f"{len(pages)} templates are in order.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
