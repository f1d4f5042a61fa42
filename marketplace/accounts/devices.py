"""What a browser calls itself, in words that its owner knows it by."""

from typing import Final

BROWSERS: Final = (  # the first that is named counts: most of them name the others as well
    ("MicroMessenger", "WeChat"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("SamsungBrowser", "Samsung Internet"),
    ("QQBrowser", "QQ Browser"),
    ("UCBrowser", "UC Browser"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def described(user_agent: str) -> str:
    """Such as "WeChat · Android"; empty where nothing is recognised."""
    named = (next((words for mark, words in known if mark in user_agent), "") for known in (BROWSERS, SYSTEMS))
    return " · ".join(word for word in named if word)
