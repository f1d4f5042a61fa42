from tests.browser import browser
from tests.demonstration import demo_app, demonstration

__all__ = ["browser", "demo_app", "demonstration"]
