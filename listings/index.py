"""The search index that this process reads: opened with the first question, kept for all others."""

from flask import current_app

from marketplace.core.settings import settings
from search_index import Backend, open_index


def index() -> Backend:
    """One for all threads: of several that open it at once the first is kept, and nothing is read before it is asked."""
    found: Backend | None = current_app.extensions.get("search_index")
    return found or current_app.extensions.setdefault("search_index", open_index(settings().search_folder))
