"""What must be true of the desk without a network: each act had its one effect, and each effect of a phone has its act."""

from typing import Final

from marketplace.auditing.checks import Check

OFFLINE: Final = (
    Check(
        "offline acts were applied once",
        """SELECT a.client_key AS name, COUNT(e.id) AS number FROM desk_act a
        LEFT JOIN event e ON e.client_key = a.client_key AND e.subject = 'parcel:' || a.parcel
        GROUP BY a.client_key, a.state HAVING COUNT(e.id) <> CASE WHEN a.state = 'applied' THEN 1 ELSE 0 END""",
        "act {name} of a phone moved its parcel {number} times",
    ),
    Check(
        "steps of phones have their act",
        """SELECT e.subject AS name, e.client_key AS client_key FROM event e
        LEFT JOIN desk_act a ON a.client_key = e.client_key
        WHERE e.client_key IS NOT NULL AND (a.id IS NULL OR a.state <> 'applied' OR a.client_at <> e.client_at)""",
        "{name} was moved by a phone's act {client_key}, which says otherwise",
    ),
    Check(
        "decisions about phones are recorded",
        """SELECT a.client_key AS name, a.state AS state FROM desk_act a
        LEFT JOIN audit_record r ON r.subject = 'desk_act:' || a.client_key AND r.action = 'desk_act.decided'
        WHERE (a.decided_by IS NOT NULL OR a.decided_at IS NOT NULL OR a.state IN ('dismissed', 'corrected'))
        GROUP BY a.client_key, a.state HAVING COUNT(r.id) <> 1""",
        "act {name} is {state} by somebody's decision, which is not recorded once",
    ),
    Check(
        "phones are their persons'",
        """SELECT a.client_key AS name FROM desk_act a JOIN desk_client c ON c.id = a.client_id
        WHERE c.person_id <> a.person_id OR c.station_code <> a.station_code""",
        "act {name} was written by another person, or for another station, than its phone",
    ),
    Check(
        "pickup numbers are of parcels that are fetched",
        """SELECT p.public_id AS name, n.number AS number FROM pickup_number n JOIN parcel p ON p.id = n.parcel_id
        WHERE p.delivery <> 'pickup' OR p.station_code <> n.station_code OR p.pickup_code IS NULL
        OR LENGTH(n.number) <> 3""",
        "parcel {name} has pickup number {number}, but is not fetched there",
    ),
)
