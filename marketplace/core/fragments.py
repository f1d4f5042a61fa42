"""Parts of pages kept as they were rendered: what they show is the key, so that nothing ever has to be thrown away.

    {{ kept(row, product) }}                  instead of  {{ row(product) }}
    {% keep shelf, request.query_string %} ... {% endkeep %}

For text that depends on nothing but what is named (hashable things), the language and the size of text. What also depends on
the address says so. A session's pages carry tokens, and are always made anew."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final

from flask import Flask, g
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Macro

from marketplace.core.reading import appearance

MOST_CHARACTERS: Final = 6 * 2**20


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


def install(app: Flask) -> None:
    """`kept(macro, ...)` and `{% keep ... %}` for templates."""
    app.jinja_env.globals["kept"] = kept
    app.jinja_env.add_extension(Keep)


def kept(macro: Macro, *args: Any, by: Hashable = "", **kwargs: Any) -> str:
    """The macro's text for these arguments."""
    return text_for((macro.name, args, *sorted(kwargs.items()), by), lambda: macro(*args, **kwargs))


def text_for(what: tuple[Hashable, ...], make: Callable[[], str]) -> str:
    if g.get("person") is not None:
        return make()
    key = (what, appearance())
    text = _fragments.find(key)
    if text is None:
        text = make()
        _fragments.keep(key, text)
    return text


class Keep(Extension):
    """`{% keep a, b %} ... {% endkeep %}`: what stands between, kept by the values of a and b."""

    tags = {"keep"}  # noqa: RUF012 (Jinja's own declaration)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        named = parser.parse_tuple(with_condexpr=True)
        body = parser.parse_statements(("name:endkeep",), drop_needle=True)
        place = nodes.Const(f"{parser.name}:{line}")
        call = self.call_method("text", [nodes.Tuple([place, named], "load")])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def text(self, what: tuple[Hashable, ...], caller: Macro) -> str:
        return text_for(what, caller)
