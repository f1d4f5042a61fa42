"""The names under which children are known in public: a random plant of the hills and a number, and nothing behind it."""

import secrets
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges.models import ChildCase

PLANTS: Final = (
    ("山桃", "Mountain Peach"),
    ("酸枣", "Wild Jujube"),
    ("沙棘", "Sea Buckthorn"),
    ("连翘", "Forsythia"),
    ("黄芪", "Milkvetch"),
    ("荞麦", "Buckwheat"),
    ("胡麻", "Flax"),
    ("莜麦", "Naked Oat"),
    ("山丹", "Coral Lily"),
    ("柠条", "Peashrub"),
    ("榆钱", "Elm Seed"),
    ("丁香", "Lilac"),
    ("马兰", "Iris"),
    ("野菊", "Wild Aster"),
    ("杜梨", "Birch-leaf Pear"),
)
FIRST, LAST = 100, 999


def new(session: Session) -> tuple[str, str]:
    """(Chinese, English) that no case has had before."""
    while True:
        zh, en = secrets.choice(PLANTS)
        number = FIRST + secrets.randbelow(LAST - FIRST + 1)
        if session.scalar(select(ChildCase.id).where(ChildCase.alias_zh == f"{zh} {number}")) is None:
            return f"{zh} {number}", f"{en} {number}"
