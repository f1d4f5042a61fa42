"""What the worker does with imports: a step at a time, leased, each in one transaction, so that a killed one goes on."""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from listings.sheets import applying, dry_run, storing, undoing
from listings.sheets.models import ListingImport, ListingImportPicture, ListingImportRow
from listings.sheets.states import AT_WORK, ImportState as I
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.records import record
from marketplace.core.transitions import transition

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 60  # seconds for reading one file
DUE: Final = outbox.due(ListingImport, ListingImport.state.in_(AT_WORK))
MOST_TRIES: Final = 4  # of one step; then the seller is told
FILES_KEPT: Final = timedelta(days=2)
ROWS_KEPT: Final = timedelta(days=7)


@record
class Job:
    """An import that was taken, as it stood then."""

    id: int
    name: str
    state: I
    sheet: str
    pictures: str
    tries: int


def work() -> bool:
    """One step of the import that has waited longest; True if one waited."""
    job = in_transaction(take)
    if job is None:
        return False
    if job.tries > MOST_TRIES:
        in_transaction(give_up, job, {"code": "failed", "values": {}})
    else:
        STEPS[job.state](job)
    return True


def take(session: Session) -> Job | None:
    for row in outbox.take(session, DUE):
        return Job(row.id, row.public_id, row.state, row.sheet, row.pictures, row.tries)
    return None


def read(job: Job) -> None:
    """The file in a process of its own; then its rows are kept, or why there are none."""
    answer = read_apart(storing.path_of(job.sheet))
    if "problem" not in answer:
        answer = dry_run.arranged(answer["rows"], answer["flaws"], job.pictures)
    if "problem" in answer:
        in_transaction(give_up, job, answer["problem"])
        storing.drop(job.sheet, job.pictures)
    else:
        in_transaction(dry_run.keep_rows, job.id, answer)


def read_apart(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as sheet:
            command = [sys.executable, "-m", "listings.sheets.reading"]
            done = subprocess.run(command, stdin=sheet, capture_output=True, timeout=PATIENCE, cwd=ROOT, check=False)
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        if done.returncode == -signal.SIGABRT:  # no memory for the rectangle that a far cell spans
            answer = {"problem": {"code": "spans_too_much", "values": {}}}
    except (OSError, subprocess.TimeoutExpired, ValueError):
        logging.getLogger(__name__).exception("a sheet cannot be read")
        answer = {}
    return answer or {"problem": {"code": "broken", "values": {}}}


def give_up(session: Session, job: Job, problem: dict[str, Any]) -> None:
    """The file cannot be read; or what failed is put before the seller once more, since nothing of it was done."""
    row = session.get_one(ListingImport, job.id, with_for_update=True)
    if row.state is not job.state:
        return
    told: dict[str, Any] = {"actor": "worker", "why": problem["code"], "station": row.station_code}
    if job.state is I.APPLYING:
        applying.compare_again(session, row, failed=True)
    elif job.state is I.UNDOING:
        transition(session, row, I.APPLIED, expected=I.UNDOING, notes={**row.notes, "failed": True}, **told)
    else:
        transition(session, row, I.UNREADABLE, expected=job.state, problem=problem, **told)


def compare(job: Job) -> None:
    if dry_run.compare_some(job.id, job.pictures):
        storing.drop(job.sheet, job.pictures)


STEPS: Final[dict[I, Callable[[Job], object]]] = {
    I.WAITING: read,
    I.COMPARING: compare,
    I.APPLYING: lambda job: applying.apply(job.id),
    I.UNDOING: lambda job: undoing.undo(job.id),
}


def sweep() -> None:
    """Files of imports that nobody came back for, and what stood in sheets that were dropped."""
    storing.sweep(clock.now() - FILES_KEPT)
    in_transaction(forget_dropped)


def forget_dropped(session: Session) -> None:
    dropped = select(ListingImport.id).where(ListingImport.state == I.DROPPED)
    long_ago = dropped.where(ListingImport.created_at < clock.now() - ROWS_KEPT)
    for kind in (ListingImportRow, ListingImportPicture):
        session.execute(delete(kind).where(kind.import_id.in_(long_ago)))
