"""From customers' reviews to the JSON face: two statements."""

from sqlalchemy.orm import Session

from listings.customer_reviews import queries
from listings.customer_reviews.queries import ShownReview
from marketplace.api.review_schemas import ReviewItem, ReviewsAnswer, ReviewsQuery


def of_listing(session: Session, sku: str, asked: ReviewsQuery) -> ReviewsAnswer:
    """One page of what everybody may read. Raises NotFound for what is not published."""
    listing = queries.get_reviewed(session, sku)
    page = queries.page(session, listing.id, asked.before, asked.per_page)
    figures = listing.figures
    return ReviewsAnswer(
        sku=sku,
        total=figures.total,
        hidden=figures.hidden,
        average=figures.average or None,
        by_stars=list(figures.by_stars) if figures.average else None,
        items=[item(each) for each in page.rows],
        next_before=page.next or None,
        url=f"/listings/{sku}/reviews",
    )


def item(each: ShownReview) -> ReviewItem:
    is_shown = each.hidden_for is None
    return ReviewItem(
        id=each.public_id,
        name=each.name,
        stars=each.stars if is_shown else None,
        words=each.words if is_shown else None,
        unit=each.unit,
        bought_in=each.bought_on.replace(day=1),  # the page tells no day either
        written_at=each.written_at,
        edited_at=each.edited_at,
        hidden_for=each.hidden_for,
        seller_answer=each.answer or None,
        pictures=[f"/reviews/{each.public_id}/pictures/{picture.public_id}-1280.webp" for picture in each.pictures],
    )
