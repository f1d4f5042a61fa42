"""What must be true of those whom payments reached: within what their campaign published, and the payment."""

from typing import Final

from marketplace.auditing.checks import Check

BENEFICIARIES: Final = (
    Check(
        "beneficiaries are within what was published",
        """SELECT b.public_id AS name, c.public_id AS campaign FROM beneficiary b JOIN campaign c ON c.id = b.campaign_id
        LEFT JOIN campaign_criteria k ON k.campaign_id = b.campaign_id
        LEFT JOIN criteria_county y ON y.campaign_id = b.campaign_id AND y.county_code = b.county_code
        WHERE k.campaign_id IS NULL OR y.county_code IS NULL OR b.fen > k.each_fen""",
        "beneficiary {name} is outside the published criteria of campaign {campaign}",
    ),
    Check(
        "no more beneficiaries than were published",
        """SELECT c.public_id AS name, COUNT(*) AS amount, k.most AS owed FROM beneficiary b
        JOIN campaign c ON c.id = b.campaign_id JOIN campaign_criteria k ON k.campaign_id = b.campaign_id
        GROUP BY c.public_id, k.most HAVING COUNT(*) > k.most""",
        "campaign {name} has {amount} beneficiaries, it published {owed}",
    ),
    Check(
        "beneficiaries got no more than was paid",
        """SELECT d.public_id AS name, SUM(b.fen) AS amount, d.fen AS owed FROM beneficiary b
        JOIN disbursement d ON d.id = b.disbursement_id GROUP BY d.id, d.public_id, d.fen, d.state
        HAVING SUM(b.fen) > d.fen OR d.state NOT IN ('paid', 'evidenced')
        UNION ALL SELECT b.public_id, b.fen, 0 FROM beneficiary b JOIN disbursement d ON d.id = b.disbursement_id
        WHERE d.campaign_id <> b.campaign_id""",
        "payment {name} of {owed} fen reached beneficiaries with {amount}",
    ),
)
