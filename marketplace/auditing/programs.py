"""What must be true of what people's programs may do, and of what partners' machines were told."""

from typing import Final

from marketplace.auditing.checks import Check


def recorded(table: str, subject: str, action: str, where: str = "") -> str:
    """Rows of which nothing in the journal says that this was done to them."""
    return f"""SELECT t.public_id AS name FROM {table} t LEFT JOIN audit_record a
        ON a.subject = '{subject}:' || t.public_id AND a.action = '{action}' WHERE a.id IS NULL{where}"""


PROGRAMS: Final = (
    Check(
        "keys are made in the open",
        recorded("access_token", "token", "token.made"),
        "a key {name} opens an account, and nobody made it",
    ),
    Check(
        "keys end in the open",
        recorded("access_token", "token", "token.ended", " AND t.ended_at IS NOT NULL"),
        "the key {name} is ended, and nobody ended it",
    ),
    Check(
        "keys are stored as hashes",
        "SELECT t.public_id AS name FROM access_token t WHERE t.expires_at <= t.created_at OR LENGTH(t.token_hash) <> 64",
        "the key {name} was never good, or is stored as something else than a hash",
    ),
    Check(
        "addresses are entered in the open",
        recorded("endpoint", "endpoint", "endpoint.made"),
        "an address {name} is told of things, and nobody entered it",
    ),
    Check(
        "addresses end in the open",
        recorded("endpoint", "endpoint", "endpoint.ended", " AND t.state = 'ended'"),
        "the address {name} is ended, and nobody ended it",
    ),
)

TOLD: Final = (
    Check(
        "what was delivered was taken",
        """SELECT d.public_id AS name, d.state AS state FROM delivery d
        LEFT JOIN delivery_try y ON y.delivery_id = d.id AND y.status BETWEEN 200 AND 299
        WHERE y.id IS NULL AND d.state = 'delivered'""",
        "delivery {name} is {state}, and no answer said so",
    ),
    Check(
        "what was given up was tried",
        """SELECT d.public_id AS name FROM delivery d LEFT JOIN delivery_try y ON y.delivery_id = d.id
        WHERE y.id IS NULL AND d.state = 'given_up'""",
        "delivery {name} was given up without a try",
    ),
    Check(
        "deliveries are counted by their tries",
        """SELECT d.public_id AS name, d.tries AS amount, COUNT(y.id) AS owed FROM delivery d
        JOIN delivery_try y ON y.delivery_id = d.id AND y.at >= d.since
        GROUP BY d.id, d.public_id, d.tries HAVING COUNT(y.id) > d.tries""",
        "delivery {name} was taken {amount} times and sent {owed}",
    ),
    Check(
        "orders that are told of were paid",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d LEFT JOIN "order" o
        ON o.number = SUBSTR(d.fact, 12) AND o.paid_at IS NOT NULL WHERE d.kind = 'order.paid' AND o.id IS NULL""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "parcels that are told of have moved",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d WHERE d.kind IN ('parcel.shipped', 'parcel.delivered')
        AND NOT EXISTS (SELECT 1 FROM event e
            WHERE e.subject = 'parcel:' || SUBSTR(d.fact, LENGTH(d.kind) + 2)
            AND (e.to_state = 'shipped' OR (d.kind = 'parcel.delivered' AND e.to_state IN ('delivered', 'picked_up')))
            AND (d.kind = 'parcel.shipped' OR e.to_state <> 'shipped'))""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "refunds that are told of have arrived",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d LEFT JOIN event e
        ON e.subject = 'refund:' || SUBSTR(d.fact, 18) AND e.to_state = 'succeeded'
        WHERE d.kind = 'refund.succeeded' AND e.id IS NULL""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "campaigns that are told of have moved",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d
        WHERE d.kind IN ('campaign.opened', 'campaign.updated', 'campaign.closed') AND NOT EXISTS (SELECT 1 FROM event e
            WHERE e.subject = 'campaign:' || SUBSTR(d.fact, LENGTH(d.kind) + 2, 16)
            AND SUBSTR(d.fact, LENGTH(d.kind) + 19, LENGTH(e.to_state) + 1) = e.to_state || ':')
        AND NOT EXISTS (SELECT 1 FROM campaign_update u JOIN campaign c ON c.id = u.campaign_id
            WHERE d.kind = 'campaign.updated' AND c.public_id = SUBSTR(d.fact, 18, 16)
            AND SUBSTR(d.fact, 35, 21) = 'news:' || u.public_id)""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "ledger rows that are told of stand there",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d LEFT JOIN sealed_row s
        ON d.fact = d.kind || ':' || CAST(s.number AS VARCHAR) AND d.kind = CASE s.kind WHEN 'gift' THEN 'gift.received'
            WHEN 'refund' THEN 'gift.refunded' WHEN 'disbursement' THEN 'disbursement.made'
            WHEN 'repayment' THEN 'disbursement.repaid' WHEN 'correction' THEN 'disbursement.repayment_corrected' END
        WHERE d.kind IN ('gift.received', 'gift.refunded', 'disbursement.made', 'disbursement.repaid',
            'disbursement.repayment_corrected')
        AND s.number IS NULL""",
        "delivery {name} says {fact}, which no row does",
    ),
    Check(
        "nothing is told before it is sealed",
        "SELECT t.number AS name FROM ledger_told t WHERE t.number > COALESCE((SELECT MAX(number) FROM sealed_row), 0)",
        "row {name} of the ledger counts as told, and is not sealed",
    ),
    Check(
        "evidence that is told of is there",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d LEFT JOIN evidence e
        ON e.public_id = SUBSTR(d.fact, LENGTH(d.kind) + 2)
        WHERE d.kind = 'disbursement.evidence_added' AND e.id IS NULL""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "reports that are told of were published",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d LEFT JOIN campaign_report r
        ON r.public_id = SUBSTR(d.fact, LENGTH(d.kind) + 2) AND r.state = 'published'
        WHERE d.kind = 'report.published' AND r.id IS NULL""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "presales that are told of have moved",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d
        WHERE d.kind IN ('presale.opened', 'presale.updated', 'presale.closed') AND NOT EXISTS (SELECT 1 FROM event e
            WHERE e.subject = 'presale:' || SUBSTR(d.fact, LENGTH(d.kind) + 2, 16)
            AND SUBSTR(d.fact, LENGTH(d.kind) + 19, LENGTH(e.to_state) + 1) = e.to_state || ':')
        AND NOT EXISTS (SELECT 1 FROM presale_update u JOIN presale p ON p.id = u.presale_id
            WHERE d.kind = 'presale.updated' AND p.public_id = SUBSTR(d.fact, 17, 16)
            AND SUBSTR(d.fact, 34, 21) = 'news:' || u.public_id)""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "places that are told of have moved",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d LEFT JOIN event e
        ON e.subject = 'backing:' || SUBSTR(d.fact, LENGTH(d.kind) + 2) AND e.to_state = SUBSTR(d.kind, 7)
        WHERE d.kind IN ('place.confirmed', 'place.ordered', 'place.refunded') AND e.id IS NULL""",
        "delivery {name} says {fact}, which was not",
    ),
    Check(
        "listings that are told of were published",
        """SELECT d.public_id AS name, d.fact AS fact FROM delivery d LEFT JOIN listing l
        ON l.code = SUBSTR(d.fact, 19) AND l.published_at IS NOT NULL WHERE d.kind = 'listing.published' AND l.id IS NULL""",
        "delivery {name} says {fact}, which was not",
    ),
)
