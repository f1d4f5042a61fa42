from tests.demonstration import demo_app, demonstration, gifts_app, history_app

__all__ = ["demo_app", "demonstration", "gifts_app", "history_app"]
