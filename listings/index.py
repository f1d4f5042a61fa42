"""The search index that this process reads: opened with the first question, kept for all others."""

from flask import current_app

from marketplace.core.settings import settings
from search_index import Backend, open_index


def index() -> Backend:
    if "search_index" not in current_app.extensions:
        current_app.extensions["search_index"] = open_index(settings().search_folder)
    found: Backend = current_app.extensions["search_index"]
    return found
