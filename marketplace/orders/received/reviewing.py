"""Whoever received a line of an order writes about it: the command asks for the goods before it asks for the words."""

from sqlalchemy.orm import Session

from listings.customer_reviews import writing
from listings.customer_reviews.writing import Said
from marketplace.orders.received import lines


def write(session: Session, *, number: str, line: str, said: Said, actor: str) -> str:
    """Returns the review's id. Raises NotFound for what was not received, OwnGoods, ReviewedBefore, TooManyPictures."""
    received = lines.get_received(session, number=number, line=line)
    return writing.write(session, received=received, said=said, actor=actor)
