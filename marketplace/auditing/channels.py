"""What must be true of campaigns that live on a platform: gifts there are as files and people said, and none are here."""

from typing import Final

from marketplace.auditing.checks import Check

CAME_FROM_ANOTHER_HOUSE: Final = "EXISTS (SELECT 1 FROM giving_import m WHERE g.created_at < m.begun_at)"
"""Who is on a list stays in the house that invited them; so does who gave."""

CHANNELS: Final = (
    Check(
        "directed gifts come from the list",
        f"""SELECT g.public_id AS name FROM contribution g JOIN campaign c ON c.id = g.campaign_id
        WHERE c.channel = 'directed' AND NOT {CAME_FROM_ANOTHER_HOUSE}
        AND NOT EXISTS (SELECT 1 FROM invitation i WHERE i.campaign_id = c.id
            AND i.person_id = g.person_id AND i.accepted_at <= g.created_at
            AND (i.withdrawn_at IS NULL OR i.withdrawn_at >= g.created_at))""",
        "gift {name} to a campaign for a closed list is from nobody on it",
    ),
    Check(
        "no public row names who gave to a closed list's campaign",
        """SELECT r.reference AS name FROM public_row r JOIN campaign c ON c.id = r.campaign_id
        WHERE c.channel = 'directed' AND r.kind IN ('gift', 'refund', 'return') AND (r.who <> '')""",
        "the public row of {name} names somebody who gave to a campaign for a closed list",
    ),
    Check(
        "mirrored campaigns took nothing here",
        """SELECT c.public_id AS name FROM campaign c WHERE c.channel = 'mirror' AND (
            EXISTS (SELECT 1 FROM contribution g WHERE g.campaign_id = c.id)
            OR EXISTS (SELECT 1 FROM public_row r WHERE r.campaign_id = c.id)
            OR EXISTS (SELECT 1 FROM ledger_account a WHERE a.kind = 'restricted' AND a.owner = c.public_id))""",
        "campaign {name} lives on a platform, and has gifts or money here",
    ),
    Check(
        "mirrored sums are those of their gifts",
        """SELECT c.public_id AS name, SUM(t.shown) AS shown, SUM(t.fen) AS amount FROM (
            SELECT m.campaign_id AS campaign_id, m.fen AS shown, m.gifts AS counted, 0 AS fen, 0 AS gifts FROM mirror_total m
            UNION ALL SELECT g.campaign_id, 0, 0, g.fen, CASE WHEN g.fen > 0 THEN 1 ELSE 0 END FROM mirrored_gift g) t
        JOIN campaign c ON c.id = t.campaign_id GROUP BY c.id, c.public_id
        HAVING SUM(t.shown) <> SUM(t.fen) OR SUM(t.counted) <> SUM(t.gifts)""",
        "campaign {name} shows {shown} fen given on its platform, its gifts there are {amount}; or their numbers differ",
    ),
    Check(
        "mirrored gifts are as their files say",
        """SELECT g.platform_number AS name FROM mirrored_gift g LEFT JOIN mirror_row r ON r.id = (
            SELECT MAX(s.id) FROM mirror_row s JOIN mirror_file f ON f.id = s.file_id
            WHERE f.campaign_id = g.campaign_id AND s.platform_number = g.platform_number
            AND ((s.verdict = 'new' AND f.id = g.file_id) OR s.decision = 'followed'))
        WHERE r.id IS NULL OR r.fen <> g.fen OR r.shown_as <> g.shown_as OR r.given_at <> g.given_at""",
        "gift {name} of a platform is otherwise than the file says that it was taken from",
    ),
    Check(
        "taken files were taken whole",
        """SELECT f.public_id AS name, f.taken AS shown, COALESCE(r.number, 0) AS owed, COALESCE(g.number, 0) AS amount
        FROM mirror_file f
        LEFT JOIN (SELECT file_id, COUNT(*) AS number FROM mirror_row WHERE verdict = 'new' GROUP BY file_id) r
            ON r.file_id = f.id
        LEFT JOIN (SELECT file_id, COUNT(*) AS number FROM mirrored_gift GROUP BY file_id) g ON g.file_id = f.id
        WHERE f.taken <> COALESCE(g.number, 0) OR (f.state = 'taken' AND f.taken <> COALESCE(r.number, 0))
        OR (f.state NOT IN ('taking', 'taken') AND f.taken <> 0)""",
        "file {name} of a platform has {owed} new rows and took {shown}; {amount} gifts came from it",
    ),
)
