"""Parts of pages kept as they were rendered: what they show is the key, so that nothing ever has to be thrown away.

    {{ kept(row, product) }}        instead of  {{ row(product) }}

For macros whose text depends on nothing but their arguments (hashable ones), the language and the size of text. What also
depends on the address says so: `by=`. A session's pages carry tokens, and are always made anew."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final

from flask import Flask, g
from jinja2.runtime import Macro

from marketplace.core.formats import language
from marketplace.core.reading import elder_mode

MOST: Final = 4000

_fragments: OrderedDict[tuple[Hashable, ...], str] = OrderedDict()
_lock: Final = threading.Lock()


def install(app: Flask) -> None:
    """`kept(macro, ...)` for templates."""
    app.jinja_env.globals["kept"] = kept


def kept(macro: Macro, *args: Any, by: Hashable = "", **kwargs: Any) -> str:
    """The macro's text for these arguments."""
    if g.get("person") is not None:
        return macro(*args, **kwargs)
    key = (macro.name, args, *sorted(kwargs.items()), language(), elder_mode(), by)
    text = _fragments.get(key)
    if text is None:
        text = macro(*args, **kwargs)
        with _lock:
            _fragments[key] = text
            while len(_fragments) > MOST:
                _fragments.popitem(last=False)
    return text
