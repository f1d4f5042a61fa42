"""What must be true of reviews and questions: only who received goods speaks of them, what is counted is what is shown, and
nothing is hidden without a reason and somebody who answers for it."""

from typing import Final

from marketplace.auditing.checks import Check

SPOKEN: Final = """(SELECT listing_id AS listing,
        SUM(CASE WHEN state = 'shown' AND stars = 1 THEN 1 ELSE 0 END) AS s1,
        SUM(CASE WHEN state = 'shown' AND stars = 2 THEN 1 ELSE 0 END) AS s2,
        SUM(CASE WHEN state = 'shown' AND stars = 3 THEN 1 ELSE 0 END) AS s3,
        SUM(CASE WHEN state = 'shown' AND stars = 4 THEN 1 ELSE 0 END) AS s4,
        SUM(CASE WHEN state = 'shown' AND stars = 5 THEN 1 ELSE 0 END) AS s5,
        SUM(CASE WHEN state = 'hidden' THEN 1 ELSE 0 END) AS hidden FROM customer_review GROUP BY listing_id)"""

ASKED: Final = (
    "(SELECT listing_id AS listing, COUNT(*) AS answered FROM question WHERE state = 'answered' GROUP BY listing_id)"
)

DECIDED: Final = """(SELECT c.public_id AS name, g.code AS goods, c.answer AS why, CASE c.state
        WHEN 'upheld' THEN 'listing.suspended' ELSE 'listing.complaints_dismissed' END AS deed
        FROM listing_complaint c JOIN listing g ON g.id = c.listing_id WHERE c.state <> 'open'
    UNION ALL SELECT s.public_id, g.code, s.answer, CASE s.state
        WHEN 'granted' THEN 'listing.cleared' ELSE 'listing.second_look_declined' END
        FROM listing_second_look s JOIN listing g ON g.id = s.listing_id WHERE s.state IN ('granted', 'declined'))"""

FEEDBACK: Final = (
    Check(
        "what is pointed out is decided by the province",
        f"""SELECT d.name AS name, d.goods AS goods FROM {DECIDED} d WHERE NOT EXISTS (SELECT 1 FROM audit_record a
        WHERE a.subject = 'listing:' || d.goods AND a.action = d.deed AND a.why = d.why)""",
        "what was said about {goods} ({name}) was decided, but nobody says to have decided it so",
    ),
    Check(
        "only a seller asks for a second look at suspended goods",
        """SELECT s.public_id AS name FROM listing_second_look s JOIN listing g ON g.id = s.listing_id
        WHERE g.seller_id <> s.asked_by OR (s.state = 'asked' AND g.state <> 'suspended')""",
        "second look {name} is not asked by the seller of goods that are off sale",
    ),
    Check(
        "feedback is counted as it is shown",
        f"""SELECT g.code AS name FROM listing g LEFT JOIN feedback_count c ON c.listing_id = g.id
        LEFT JOIN {SPOKEN} r ON r.listing = g.id LEFT JOIN {ASKED} q ON q.listing = g.id
        WHERE COALESCE(c.stars_1, 0) <> COALESCE(r.s1, 0) OR COALESCE(c.stars_2, 0) <> COALESCE(r.s2, 0)
        OR COALESCE(c.stars_3, 0) <> COALESCE(r.s3, 0) OR COALESCE(c.stars_4, 0) <> COALESCE(r.s4, 0)
        OR COALESCE(c.stars_5, 0) <> COALESCE(r.s5, 0) OR COALESCE(c.hidden, 0) <> COALESCE(r.hidden, 0)
        OR COALESCE(c.questions, 0) <> COALESCE(q.answered, 0)""",
        "listing {name} counts other reviews or questions than it shows",
    ),
    Check(
        "reviews are of goods that arrived",
        """SELECT r.public_id AS name FROM customer_review r LEFT JOIN order_line l ON l.public_id = r.order_line
        LEFT JOIN parcel p ON p.id = l.parcel_id LEFT JOIN "order" o ON o.id = p.order_id
        LEFT JOIN substitute x ON x.order_line_id = l.id AND x.packs = l.quantity AND x.state = 'accepted'
        LEFT JOIN variant v ON v.code = x.variant_code
        LEFT JOIN listing g ON g.id = r.listing_id AND (CASE WHEN x.id IS NULL THEN g.code = l.listing_code
            ELSE g.id = v.listing_id END)
        WHERE g.id IS NULL OR p.delivered_at IS NULL OR p.delivered_at > r.written_at OR o.is_exchange
        OR g.seller_id <> r.seller_id OR g.station_code <> r.station_code
        OR (r.author_id IS NOT NULL AND (o.buyer_id IS NULL OR o.buyer_id <> r.author_id))""",
        "review {name} is of no goods that its author received",
    ),
    Check(
        "what is hidden was hidden by somebody",
        """SELECT s.name AS name FROM (SELECT 'customer_review:' || public_id AS name, hidden_for AS why,
            'customer_review.hidden' AS deed FROM customer_review WHERE state = 'hidden'
            UNION ALL SELECT 'question:' || public_id, hidden_for, 'question.hidden' FROM question WHERE state = 'hidden') s
        WHERE NOT EXISTS (SELECT 1 FROM audit_record a WHERE a.subject = s.name AND a.action = s.deed AND a.why = s.why)""",
        "{name} is hidden, but nobody says to have hidden it for this reason",
    ),
    Check(
        "appeals of reviews are answered by the province",
        """SELECT r.public_id AS name FROM customer_review r WHERE r.appeal_answered_at IS NOT NULL
        AND (r.appeal_answer = '' OR NOT EXISTS (SELECT 1 FROM audit_record a
        WHERE a.subject = 'customer_review:' || r.public_id AND a.why = r.appeal_answer
        AND a.action IN ('customer_review.restored', 'customer_review.upheld')))""",
        "the appeal about review {name} was answered, but nobody says how",
    ),
    Check(
        "nobody sees a picture before the station",
        """SELECT p.public_id AS name FROM review_picture p WHERE p.state = 'shown' AND NOT EXISTS (SELECT 1 FROM event e
        WHERE e.subject = 'review_picture:' || p.public_id AND e.to_state = 'shown' AND e.actor LIKE 'person:%')""",
        "picture {name} is shown, but nobody looked at it",
    ),
)
