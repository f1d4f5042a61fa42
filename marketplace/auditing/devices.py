"""What must be true of pledges: vouchers, children, devices and the people who may not be the same."""

from typing import Final

from marketplace.auditing.checks import Check

ACTIVE: Final = "('held', 'provisional', 'on_hold', 'confirmed', 'allocated', 'at_station', 'handed_over', 'verified')"
PLACE: Final = """CASE d.state WHEN 'committed' THEN 'partner_committed' WHEN 'replaced' THEN 'partner_committed'
    WHEN 'received' THEN 'device_warehouse' WHEN 'checked' THEN 'device_warehouse' WHEN 'returned' THEN 'device_warehouse'
    WHEN 'in_transit' THEN 'device_in_transit' WHEN 'at_station' THEN 'device_station'
    WHEN 'handed_over' THEN 'device_delivered' WHEN 'lost' THEN 'device_lost' ELSE 'device_faulty' END"""
"""Where a device should stand in the books."""

NEWEST: Final = """(SELECT a.{column} FROM entry e JOIN line ON line.entry_id = e.id
    JOIN ledger_account a ON a.id = line.account_id WHERE e.reference = d.public_id
    AND line.commodity LIKE 'DEVICE:%' AND line.amount > 0 ORDER BY line.id DESC LIMIT 1)"""
"""Where the books have device `d` since its last move."""

STANDS: Final = f"COALESCE({NEWEST.format(column='kind')}, 'partner_committed')"
STANDS_AT: Final = NEWEST.format(column="owner")

DEVICES: Final = (
    Check(
        "devices are where the books say",
        f"""SELECT d.public_id AS name, d.state AS state, {STANDS} AS kind FROM device d WHERE {STANDS} <> {PLACE}""",
        "device {name} is {state}, the books have it at {kind}",
    ),
    Check(
        "devices are at the stations where the books say",
        f"""SELECT d.public_id AS name, d.station_code AS station, {STANDS_AT} AS owner FROM device d
        WHERE d.state IN ('in_transit', 'at_station', 'handed_over') AND {STANDS_AT} <> COALESCE(d.station_code, '')""",
        "device {name} is at {station}, the books have it at {owner}",
    ),
    Check(
        "devices are at the stations of their children",
        """SELECT d.public_id AS name, d.station_code AS station, c.station_code AS other FROM device d
        JOIN assignment a ON a.device_id = d.id AND a.released_at IS NULL JOIN child_case c ON c.id = a.case_id
        WHERE d.state IN ('in_transit', 'at_station', 'handed_over') AND d.station_code <> c.station_code""",
        "device {name} is at {station}, its child at {other}",
    ),
    Check(
        "devices follow their pledges",
        """SELECT d.public_id AS name, d.state AS state, p.state AS other FROM device d
        JOIN assignment a ON a.device_id = d.id AND a.released_at IS NULL JOIN pledge p ON p.id = a.pledge_id
        WHERE d.state IN ('committed', 'received', 'lost', 'returned')
        OR p.state NOT IN ('allocated', 'at_station', 'handed_over', 'verified')
        OR (d.state = 'at_station' AND p.state = 'allocated')
        OR (d.state = 'handed_over' AND p.state IN ('allocated', 'at_station'))""",
        "device {name} is {state}, its pledge {other}",
    ),
    Check(
        "what is a child's was handed over",
        """SELECT d.public_id AS name FROM device d LEFT JOIN assignment a ON a.device_id = d.id AND a.released_at IS NULL
        LEFT JOIN handover h ON h.assignment_id = a.id AND h.is_final WHERE d.state = 'handed_over' AND h.id IS NULL""",
        "device {name} counts as handed over, nobody has handed it over",
    ),
    Check(
        "no place has fewer than no devices",
        """SELECT a.kind AS kind, a.owner AS owner, line.commodity AS commodity, SUM(line.amount) AS amount FROM line
        JOIN ledger_account a ON a.id = line.account_id WHERE line.commodity LIKE 'DEVICE:%' AND a.kind <> 'device_quota'
        GROUP BY a.kind, a.owner, a.book, line.commodity HAVING SUM(line.amount) < 0""",
        "{kind} of {owner} holds {amount} {commodity}",
    ),
    Check(
        "what was promised is in the books",
        """SELECT g.public_id AS name, g.quota AS owed, COALESCE(-SUM(line.amount), 0) AS amount FROM agreement g
        LEFT JOIN ledger_account a ON a.kind = 'device_quota' AND a.owner = g.public_id
        LEFT JOIN line ON line.account_id = a.id GROUP BY g.id, g.public_id, g.quota
        HAVING COALESCE(-SUM(line.amount), 0) <> g.quota""",
        "agreement {name} promises {owed} devices, the books say {amount}",
    ),
    Check(
        "claims are counted",
        f"""SELECT p.code AS name, p.claimed AS owed, COUNT(x.id) AS amount FROM programme p
        LEFT JOIN pledge x ON x.programme_id = p.id AND x.state IN {ACTIVE} GROUP BY p.id, p.code, p.claimed, p.quota
        HAVING COUNT(x.id) <> p.claimed OR COUNT(x.id) > p.quota""",
        "programme {name} counts {owed} claims, there are {amount}",
    ),
)

PLEDGES: Final = (
    Check(
        "one voucher directs one device",
        f"""SELECT v.public_id AS name, COUNT(*) AS amount FROM voucher v JOIN pledge p ON p.voucher_id = v.id
        WHERE p.state IN {ACTIVE} GROUP BY v.id, v.public_id HAVING COUNT(*) > 1""",
        "voucher {name} has {amount} active pledges",
    ),
    Check(
        "one child gets one device",
        f"""SELECT c.public_id AS name, COUNT(*) AS amount FROM child_case c JOIN pledge p ON p.case_id = c.id
        WHERE p.state IN {ACTIVE} GROUP BY c.id, c.public_id HAVING COUNT(*) > 1""",
        "child {name} has {amount} active pledges",
    ),
    Check(
        "vouchers follow their pledges",
        """SELECT p.public_id AS name, p.state AS state, v.state AS other FROM pledge p JOIN voucher v ON v.id = p.voucher_id
        WHERE (p.state IN ('held', 'provisional', 'on_hold') AND v.state <> 'held')
        OR (p.state IN ('allocated', 'at_station') AND v.state <> 'verified')
        OR (p.state = 'confirmed' AND v.state NOT IN ('verified', 'disputed'))
        OR (p.state IN ('handed_over', 'verified') AND v.state <> 'redeemed')""",
        "pledge {name} is {state}, its voucher {other}",
    ),
    Check(
        "held vouchers have pledges",
        f"""SELECT v.public_id AS name, v.state AS state FROM voucher v LEFT JOIN pledge p ON p.voucher_id = v.id
        AND p.state IN {ACTIVE} WHERE v.state IN ('held', 'redeemed') AND p.id IS NULL""",
        "voucher {name} is {state} without a pledge",
    ),
    Check(
        "children follow their pledges",
        f"""SELECT c.public_id AS name, c.state AS state, COALESCE(p.state, 'none') AS other FROM child_case c
        LEFT JOIN pledge p ON p.case_id = c.id AND p.state IN {ACTIVE}
        WHERE (c.state = 'held' AND COALESCE(p.state, '') NOT IN ('held', 'provisional', 'on_hold'))
        OR (c.state = 'matched' AND COALESCE(p.state, '') NOT IN ('confirmed', 'allocated'))
        OR (c.state = 'ready' AND COALESCE(p.state, '') <> 'at_station')
        OR (c.state = 'delivered' AND COALESCE(p.state, '') <> 'handed_over')
        OR (c.state = 'confirmed' AND COALESCE(p.state, '') <> 'verified') OR (c.state = 'listed' AND p.id IS NOT NULL)""",
        "child {name} is {state}, the pledge {other}",
    ),
    Check(
        "no device before the bank's word",
        """SELECT a.public_id AS name FROM assignment a JOIN pledge p ON p.id = a.pledge_id
        LEFT JOIN event e ON e.subject = 'pledge:' || p.public_id AND e.to_state = 'confirmed'
        WHERE e.id IS NULL OR p.confirmed_at IS NULL""",
        "assignment {name} was made for a pledge that no bank confirmed",
    ),
    Check(
        "whoever may be related was let through by a person",
        """SELECT p.public_id AS name FROM pledge p JOIN voucher v ON v.id = p.voucher_id
        JOIN child_vault c ON c.case_id = p.case_id
        JOIN event e ON e.subject = 'pledge:' || p.public_id AND e.to_state = 'confirmed' AND e.from_state <> 'on_hold'
        WHERE c.guardian_phone_hash = p.saver_phone_hash OR c.guardian_identity_hash = v.saver_identity_hash""",
        "the saver of pledge {name} may be related to the child, and nobody has decided it",
    ),
    Check(
        "children on the list have consent",
        """SELECT c.public_id AS name, COUNT(x.id) AS amount FROM child_case c LEFT JOIN consent x ON x.case_id = c.id
        AND x.withdrawn_at IS NULL AND x.purpose IN ('collect', 'share_station', 'share_telecom', 'delivery_evidence')
        WHERE c.state IN ('listed', 'held', 'matched', 'ready') GROUP BY c.id, c.public_id HAVING COUNT(x.id) < 4""",
        "child {name} is on the list with {amount} consents of 4",
    ),
    Check(
        "whoever left the list is destroyed in the vault",
        """SELECT c.public_id AS name FROM child_case c JOIN child_vault v ON v.case_id = c.id
        WHERE c.state IN ('withdrawn', 'moved', 'duplicate', 'ineligible')
        AND (v.destroyed_at IS NULL OR v.data_key IS NOT NULL OR v.sealed IS NOT NULL
            OR v.guardian_identity_hash IS NOT NULL)""",
        "child {name} has left the list, the vault still holds it",
    ),
    Check(
        "no voucher has vanished",
        """SELECT DISTINCT e.subject AS name FROM event e WHERE e.subject LIKE 'voucher:%'
        AND NOT EXISTS (SELECT 1 FROM voucher v WHERE v.public_id = SUBSTR(e.subject, 9))
        UNION ALL SELECT DISTINCT e.subject FROM event e WHERE e.subject LIKE 'device:%'
        AND NOT EXISTS (SELECT 1 FROM device d WHERE d.public_id = SUBSTR(e.subject, 8))""",
        "{name} has a life, and is not there",
    ),
    Check(
        "two people take a bank's word back",
        """SELECT e.subject AS name FROM event e JOIN event d ON d.subject = e.subject AND d.to_state = 'disputed'
        AND d.id = (SELECT MAX(x.id) FROM event x WHERE x.subject = e.subject AND x.to_state = 'disputed' AND x.id < e.id)
        WHERE e.subject LIKE 'voucher:%' AND e.from_state = 'disputed' AND e.actor = d.actor""",
        "{name} was disputed and decided by one person",
    ),
    Check(
        "two people stand behind a case",
        "SELECT public_id AS name FROM child_case WHERE verifier_id = nominator_id",
        "case {name} was verified by whoever nominated it",
    ),
    Check(
        "two people hand over, and neither has verified",
        """SELECT a.public_id AS name FROM handover h JOIN assignment a ON a.id = h.assignment_id
        JOIN child_case c ON c.id = h.case_id
        WHERE h.clerk_id = h.witness_id OR c.verifier_id IN (h.clerk_id, h.witness_id)""",
        "the hand-over of {name} was done by people who may not",
    ),
    Check(
        "what was handed over has its hand-over",
        """SELECT p.public_id AS name, COUNT(h.id) AS amount FROM pledge p LEFT JOIN assignment a ON a.pledge_id = p.id
        LEFT JOIN handover h ON h.assignment_id = a.id AND h.is_final WHERE p.state IN ('handed_over', 'verified')
        GROUP BY p.id, p.public_id HAVING COUNT(h.id) < 1 OR COUNT(h.id) > COUNT(a.id)""",
        "pledge {name} counts as handed over, with {amount} hand-overs",
    ),
)
