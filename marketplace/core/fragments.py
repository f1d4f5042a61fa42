"""Parts of pages kept as they were rendered: what they show is the key, so that nothing ever has to be thrown away.

    {{ kept(row, product) }}      instead of  {{ row(product) }}: kept by the values of its arguments
    {% keep page %} ... {% endkeep %}      kept with this very object, for as long as it lives

For text that depends on nothing but what is named, the language and the size of text. What also depends on the address says
so: `by=`. A session's pages carry tokens, and are always made anew."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final

from flask import Flask, g
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Macro

from marketplace.core.reading import appearance

MOST_CHARACTERS: Final = 2 * 2**20  # of two bytes where one of them is Chinese


class Fragments:
    """Texts by key, the latest used, up to so many characters together. Safe to share by threads."""

    def __init__(self, most: int) -> None:
        self.most, self.characters = most, 0
        self._texts: OrderedDict[Hashable, str] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> str | None:
        text = self._texts.get(key)
        if text is not None:
            with self._lock:
                if key in self._texts:
                    self._texts.move_to_end(key)
        return text

    def keep(self, key: Hashable, text: str) -> None:
        with self._lock:
            self.characters += len(text) - len(self._texts.pop(key, ""))
            self._texts[key] = text
            while self.characters > self.most:
                self.characters -= len(self._texts.popitem(last=False)[1])


_fragments: Final = Fragments(MOST_CHARACTERS)
_texts: Final[weakref.WeakKeyDictionary[Any, dict[Hashable, str]]] = weakref.WeakKeyDictionary()


def install(app: Flask) -> None:
    """`kept(macro, ...)` and `{% keep ... %}` for templates."""
    app.jinja_env.globals["kept"] = kept
    app.jinja_env.add_extension(Keep)


def kept(macro: Macro, *args: Any, by: Hashable = "", **kwargs: Any) -> str:
    """The macro's text for these arguments."""
    if g.get("person") is not None:
        return macro(*args, **kwargs)
    key = (macro.name, args, *sorted(kwargs.items()), by, appearance())
    text = _fragments.find(key)
    if text is None:
        text = macro(*args, **kwargs)
        _fragments.keep(key, text)
    return text


class Keep(Extension):
    """`{% keep page %} ... {% endkeep %}`: what stands between, kept with the object, which is frozen and only itself."""

    tags = {"keep"}  # noqa: RUF012 (Jinja's own declaration)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        shown = parser.parse_expression()
        body = parser.parse_statements(("name:endkeep",), drop_needle=True)
        call = self.call_method("text", [shown, nodes.Const(f"{parser.name}:{line}")])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def text(self, shown: Any, place: str, caller: Macro) -> str:
        if g.get("person") is not None:
            return caller()
        texts = _texts.setdefault(shown, {})
        key = (place, appearance())
        if key not in texts:
            texts[key] = caller()
        return texts[key]
