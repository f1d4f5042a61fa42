"""What must be true of goods that came by a sheet: all of it was done or nothing, and the shelves know of every pack."""

from typing import Final

from marketplace.auditing.checks import Check

PACKS: Final = """(SELECT i.public_id AS name, CASE r.verdict WHEN 'new' THEN r.target || '-1' ELSE r.target END AS pack,
    r.stock_change AS owed, r.outcome AS outcome FROM listing_import_row r JOIN listing_import i ON i.id = r.import_id
    WHERE r.outcome <> '')"""
"""How many packs each row that was done says it added."""

IMPORTS: Final = (
    Check(
        "stock of imports follows their rows",
        f"""SELECT t.name AS name, t.pack AS pack, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT p.name AS name, p.pack AS pack, p.owed AS owed, 0 AS amount FROM {PACKS} p
            UNION ALL SELECT SUBSTR(m.reference, 8), m.variant_code, 0, m.on_hand_change FROM stock_movement m
            WHERE SUBSTR(m.reference, 1, 7) = 'import:') t
        GROUP BY t.name, t.pack HAVING SUM(t.owed) <> SUM(t.amount)""",
        "import {name}: its rows add {owed} of {pack}, the shelf got {amount}",
    ),
    Check(
        "undone imports took back what they gave",
        f"""SELECT t.name AS name, t.pack AS pack, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT p.name AS name, p.pack AS pack, -p.owed AS owed, 0 AS amount FROM {PACKS} p WHERE p.outcome = 'undone'
            UNION ALL SELECT SUBSTR(m.reference, 15), m.variant_code, 0, m.on_hand_change FROM stock_movement m
            WHERE SUBSTR(m.reference, 1, 14) = 'import-undone:') t
        GROUP BY t.name, t.pack HAVING SUM(t.owed) <> SUM(t.amount)""",
        "import {name}: undoing it moves {owed} of {pack}, the shelf says {amount}",
    ),
    Check(
        "imports are done whole",
        """SELECT i.public_id AS name, r.number AS number, r.verdict AS verdict FROM listing_import i
        JOIN listing_import_row r ON r.import_id = i.id WHERE i.applied_at IS NOT NULL
        AND ((r.verdict IN ('new', 'changed') AND r.outcome = '') OR (r.verdict = 'refused' AND NOT i.only_good))""",
        "import {name} was done, but its row {number} ({verdict}) was not",
    ),
    Check(
        "only good rows of confirmed imports are done",
        """SELECT i.public_id AS name, r.number AS number FROM listing_import i
        JOIN listing_import_row r ON r.import_id = i.id
        WHERE r.outcome <> '' AND (i.applied_at IS NULL OR r.verdict NOT IN ('new', 'changed'))""",
        "import {name}: row {number} was done without the seller's word",
    ),
    Check(
        "new goods of imports are there",
        """SELECT i.public_id AS name, r.number AS number FROM listing_import i
        JOIN listing_import_row r ON r.import_id = i.id
        LEFT JOIN listing l ON l.code = r.target AND l.seller_id = i.seller_id
        WHERE r.verdict = 'new' AND r.outcome <> '' AND (l.id IS NULL
        OR (r.outcome = 'undone' AND l.state <> 'archived'))""",
        "import {name}: the goods of row {number} are not as it left them",
    ),
)
MOVED: Final = (
    Check(
        "another house's giving was read in to its end",
        "SELECT i.manifest_sha256 AS name, i.file AS file, i.lines AS amount FROM giving_import i WHERE i.done_at IS NULL",
        "the export {name} is in up to line {amount} of {file}, and nobody went on",
    ),
    Check(
        "what came from another house names nobody",
        """SELECT g.public_id AS name FROM contribution g JOIN giving_import i ON g.created_at < i.begun_at
        WHERE g.person_id IS NOT NULL OR g.giver IS NOT NULL OR g.contact IS NOT NULL""",
        "gift {name} came from another house, and its giver with it",
    ),
    Check(
        "years that came from another house belong to nobody",
        """SELECT y.id AS name FROM receipt_year y JOIN person p ON p.id = y.person_id JOIN giving_import i ON EXISTS (
            SELECT 1 FROM receipt r WHERE r.year_id = y.id AND r.issued_at < i.begun_at)
        WHERE p.is_active OR EXISTS (SELECT 1 FROM receipt_year o WHERE o.person_id = p.id AND o.id <> y.id)""",
        "the year {name} came from another house, and is somebody's here, or stands beside another of theirs",
    ),
    Check(
        "funds from another house match nothing here",
        """SELECT f.public_id AS name, g.public_id AS gift FROM matching_fund f
        JOIN giving_import i ON f.created_at < i.begun_at JOIN gift_match x ON x.fund_id = f.id
        JOIN contribution g ON g.id = x.contribution_id
        WHERE x.at >= i.begun_at OR f.contact_key <> 'left behind'""",
        "fund {name} came from another house without its sponsor, and matched gift {gift} here",
    ),
)
