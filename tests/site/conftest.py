from tests.demonstration import demo_app, demonstration

__all__ = ["demo_app", "demonstration"]
