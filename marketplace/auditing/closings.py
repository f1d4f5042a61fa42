"""What must be true of closed days: the frozen figures are those of events and ledger between the same moments."""

from typing import Final

from marketplace.auditing.checks import Check


def steps(state: str) -> str:
    """Parcels that took this step at the station while the day lasted."""
    return f"""(SELECT COUNT(*) FROM event e JOIN parcel p ON p.public_id = SUBSTR(e.subject, 8)
        JOIN "order" o ON o.id = p.order_id WHERE e.station = d.station_code AND e.at > d.since AND e.at <= d.until
        AND e.subject LIKE 'parcel:%' AND e.to_state = '{state}' AND o.book = d.book)"""


def booked(accounts: str, kinds: str, *, since: bool = True) -> str:
    """Fen to the station's credit by entries of these kinds, while the day lasted or until its end."""
    begins = "AND entry.at > d.since" if since else ""
    return f"""COALESCE((SELECT -SUM(line.amount) FROM ledger_account a JOIN line ON line.account_id = a.id
        JOIN entry ON entry.id = line.entry_id WHERE a.owner = d.station_code AND a.book = d.book AND a.kind IN ({accounts})
        AND line.commodity = 'CNY' {begins} AND entry.at <= d.until {kinds}), 0)"""


OWN: Final = "'station_held', 'station_payable'"
DAYS: Final = f"""(SELECT d.station_code AS station, d.day AS day, d.accepted AS accepted, d.packed AS packed,
        d.sent AS sent, d.fetched AS fetched, d.refused AS refused, d.fees_fen + d.shipping_fen AS earned,
        d.refunded_fen AS refunded, d.borne_fen AS borne, d.cash_fen AS cash, d.held_fen AS held, d.payable_fen AS payable,
        {steps("accepted")} AS n_accepted, {steps("packed")} AS n_packed, {steps("shipped")} AS n_sent,
        {steps("picked_up")} AS n_fetched, {steps("refused")} AS n_refused,
        {booked("'station_payable'", "AND entry.kind = 'settle'")} AS n_earned,
        -{booked(OWN, "AND entry.kind IN ('refund', 'refund_failed', 'case_borne', 'case_borne_failed')")} AS n_borne,
        -{booked("'cash_desk'", "AND entry.kind IN ('cash', 'cash_refund')")} AS n_cash,
        {booked("'station_held'", "", since=False)} AS n_held, {booked("'station_payable'", "", since=False)} AS n_payable,
        COALESCE((SELECT SUM(rl.goods_fen + rl.shipping_fen - rl.seller_discount_fen - rl.platform_discount_fen
            - rl.shipping_discount_fen) FROM refund_line rl
            JOIN order_line l ON l.id = rl.order_line_id JOIN parcel p ON p.id = l.parcel_id
            JOIN entry ON entry.key = 'refund:' || rl.refund_public_id WHERE p.station_code = d.station_code
            AND entry.book = d.book AND entry.at > d.since AND entry.at <= d.until), 0) AS n_refunded
    FROM station_day d)"""

CLOSINGS: Final = (
    Check(
        "closed days count what happened",
        f"""SELECT x.* FROM {DAYS} x WHERE x.accepted <> x.n_accepted OR x.packed <> x.n_packed OR x.sent <> x.n_sent
        OR x.fetched <> x.n_fetched OR x.refused <> x.n_refused""",
        "station {station}, {day}: {accepted} accepted, {packed} packed, {sent} sent, {fetched} fetched, {refused} refused; "
        "by their events {n_accepted}, {n_packed}, {n_sent}, {n_fetched}, {n_refused}",
    ),
    Check(
        "closed days equal the ledger",
        f"""SELECT x.* FROM {DAYS} x WHERE x.earned <> x.n_earned OR x.refunded <> x.n_refunded OR x.borne <> x.n_borne
        OR x.cash <> x.n_cash OR x.held <> x.n_held OR x.payable <> x.n_payable""",
        "station {station}, {day}: {earned} fen settled, {refunded} refunded, {borne} of them borne, {cash} in cash, "
        "{held} held, {payable} payable; by the ledger {n_earned}, {n_refunded}, {n_borne}, {n_cash}, {n_held}, {n_payable}",
    ),
    Check(
        "closed days follow each other",
        """SELECT d.station_code AS station, d.day AS day FROM station_day d JOIN station_day e
        ON e.station_code = d.station_code AND e.book = d.book AND e.day < d.day
        WHERE d.since < e.until OR (d.since > e.until AND NOT EXISTS (SELECT 1 FROM station_day f
            WHERE f.station_code = d.station_code AND f.book = d.book AND f.day > e.day AND f.day < d.day))""",
        "station {station}: {day} does not begin where the day before it ended",
    ),
)
