"""Gifts of a giving day, through HTTP, all to one campaign: `python -m benchmarks.giving_day [NUMBER]`, on SQLite and on
PostgreSQL. How it is measured says benchmarks/bursts.py.

A giver opens the form, gives, and pays at the cashier. In the end the campaign's account, its public rows and its receipts
are the sum of the gifts, to the fen, or the benchmark fails."""

import re
import sys
from typing import Any, Final

from sqlalchemy import Engine, text

from benchmarks import bursts
from benchmarks.bursts import CLIENTS, Deed, Result
from benchmarks.buying import Send
from benchmarks.places import Place, on_both
from benchmarks.replay import ROUNDS
from tests import peers

NUMBER: Final = 160
HOT: Final = """SELECT c.public_id FROM campaign c WHERE c.state = 'live' AND c.channel = 'own_site'
    AND c.past_goal <> 'stop' AND c.id NOT IN (SELECT campaign_id FROM matching_fund) ORDER BY c.id LIMIT 1"""
RECEIVED: Final = "SELECT COUNT(*) FROM contribution WHERE state = 'received'"
SUMS: Final = {
    "the gifts": """SELECT COALESCE(SUM(g.fen), 0) FROM contribution g JOIN campaign c ON c.id = g.campaign_id
        WHERE c.public_id = :campaign AND g.state = 'received'""",
    "the public rows": """SELECT COALESCE(SUM(r.fen), 0) FROM public_row r JOIN campaign c ON c.id = r.campaign_id
        WHERE c.public_id = :campaign AND r.kind = 'gift'""",
    "the receipts": """SELECT COALESCE(SUM(r.fen), 0) FROM receipt r JOIN contribution g ON g.id = r.contribution_id
        JOIN campaign c ON c.id = g.campaign_id WHERE c.public_id = :campaign AND r.state = 'issued'""",
    "the books": """SELECT COALESCE(-SUM(l.amount), 0) FROM line l JOIN ledger_account a ON a.id = l.account_id
        JOIN entry e ON e.id = l.entry_id WHERE a.kind = 'restricted' AND a.owner = :campaign AND e.kind = 'capture'""",
}


def measure(number: int = NUMBER, python: str = sys.executable) -> dict[str, Result]:
    """To be called between `peers.open_folder` and `peers.close_folder`."""
    return {name: of_place(start, python, number) for name, start in on_both(python)}


def of_place(start: Place, python: str, number: int = NUMBER) -> Result:
    return bursts.of_place(GIFTS, start, python, number)


def hot_campaign(place: Place) -> dict[str, Any]:
    """Its public id, and what it had of everything before the day began."""
    with place.engine() as engine, engine.connect() as connection:
        campaign = str(connection.scalar(text(HOT)))
    with place.engine() as engine:
        return {"campaign": campaign, "before": sums_of(engine, campaign)}


def sums_of(engine: Engine, campaign: str) -> dict[str, int]:
    with engine.connect() as connection:
        return {what: int(connection.scalar(text(sql), {"campaign": campaign}) or 0) for what, sql in SUMS.items()}


def fen_of(which: int) -> int:
    return 100 + which


def give(send: Send, needs: dict[str, Any], which: int) -> str:
    """Until the payment is made; where the giver is led then."""
    path, yuan = f"/campaigns/{needs['campaign']}/gifts", f"{fen_of(which) / 100:.2f}"
    page = send("GET", f"{path}/new?amount={yuan}", None)[2]
    key = re.search(r'name="idempotency_key" value="([^"]*)"', page)
    if key is None:
        raise RuntimeError(page)
    form = {"amount": yuan, "how_often": "once", "anonymity": "anonymous", "idempotency_key": key[1]}
    status, cashier, body = send("POST", path, form)
    if status != 303 or "/sandbox-cashier/" not in cashier:
        raise RuntimeError(f"{status} {cashier} {body}")
    return send("POST", f"/sandbox-cashier/{cashier.partition('/sandbox-cashier/')[2]}/decision", {"outcome": "approve"})[1]


def prove(engine: Engine, needs: dict[str, Any], deeds: range) -> None:
    """Raises AssertionError where a fen is missing or too much."""
    due = sum(map(fen_of, deeds))
    gained = {what: fen - needs["before"][what] for what, fen in sums_of(engine, needs["campaign"]).items()}
    if set(gained.values()) != {due}:
        raise AssertionError(f"{due} fen were given: {gained}")


GIFTS: Final = Deed(furnish=hot_campaign, do=give, done=RECEIVED, prove=prove)


def report(results: dict[str, Result]) -> list[str]:
    """The section of docs/benchmarks.md."""
    return [
        "## A giving day",
        "",
        f"Gifts a second through HTTP, all to one campaign: two web workers, the worker beside them, {CLIENTS} givers at"
        " once, each of whom opens the form, gives and pays. Beside it, in turn with it, the SQL of such gifts, sent once"
        " more through Core with as many commits: by as many clients on PostgreSQL, each in a database of its own; one after"
        f" the other on SQLite. Medians of {ROUNDS} rounds; the goal is a ratio of 0.40. After the last round the gifts, the"
        " public rows, the receipts and the books of the campaign are the same sum to the fen, or there were no figures.",
        "",
        *bursts.table("gifts", results),
        "What the replay does without: three requests of a giver (one draws the form), the cashier's own commits, a signed"
        " webhook over HTTP, and the worker's rounds through all its queues.",
        "",
    ]


def main() -> None:
    peers.open_folder()
    try:
        print("\n".join(report(measure(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main()
