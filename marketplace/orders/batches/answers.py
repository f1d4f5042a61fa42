"""The bank's answer to a file: CSV with a row for each payment, judged row by row before anything is done.

Its first line names the columns `end_to_end_id`, `fen`, `result` (`paid`, `returned`, or `bounced` for what was paid and
then taken back) and `said` (the bank's reference, or why the money came back); their order does not matter. The same file
twice changes nothing."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.errors import Refusal
from marketplace.core.forms import tidy
from marketplace.core.records import slim_record
from marketplace.orders.batches import at_gateway, bouncing, confirming
from marketplace.orders.batches.approving import hold
from marketplace.orders.batches.bank_file import digest
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import LeftOut, LineState

LARGEST: Final = 128 * 1024  # letters
MOST: Final = 2000  # rows
COLUMNS: Final = ("end_to_end_id", "fen", "result", "said")
BOUNCED: Final = "bounced"
RESULTS: Final = {"paid": LineState.CONFIRMED, "returned": LineState.RETURNED, BOUNCED: LineState.RETURNED}
LONGEST: Final = 120


class Unreadable(Refusal):
    status = 422
    message = _l("This is not the bank's answer. It needs the columns end_to_end_id, fen, result and said.")


class Verdict(StrEnum):
    """What a row of the file does, or why it does nothing."""

    CONFIRMS = "confirms"
    RETURNS = "returns"
    BOUNCES = "bounces"
    REPEATS = "repeats"  # says what was said before
    UNKNOWN = "unknown"
    OTHER_AMOUNT = "other_amount"
    ANSWERED = "answered"  # otherwise, before
    TWICE = "twice"  # in this file
    NO_RESULT = "no_result"
    NO_REASON = "no_reason"


DOES: Final = frozenset({Verdict.CONFIRMS, Verdict.RETURNS, Verdict.BOUNCES})


@slim_record
class Answer:
    """A row of the file; `number` is its line there."""

    number: int
    line: str
    fen: str
    result: str
    said: str


@slim_record
class Judged:
    answer: Answer
    verdict: Verdict
    fen: int


def read(content: bytes) -> list[Answer]:
    """The rows of the file. Raises Unreadable."""
    text = decoded(content)
    if len(text) > LARGEST:  # counted in letters: what came as GB 18030 comes again as UTF-8
        raise Unreadable("too large")
    rows = csv.DictReader(io.StringIO(text), strict=True)
    try:
        if not set(COLUMNS) <= {(name or "").strip() for name in rows.fieldnames or ()}:
            raise Unreadable(str(rows.fieldnames))
        rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
        found = [Answer(rows.line_num, *(tidy(row[name] or "") for name in COLUMNS)) for row in rows]
    except csv.Error as error:
        raise Unreadable(str(error)) from None
    if not found or len(found) > MOST:
        raise Unreadable(f"{len(found)} rows")
    return found


def decoded(content: bytes) -> str:
    """UTF-8, or GB 18030 as table programs here still write it. Raises Unreadable."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable("encoding")


def judge(session: Session, batch: SettlementBatch, answers: Sequence[Answer]) -> list[Judged]:
    """What each row would do now; of what the gateway pays itself the bank knows nothing. Two statements."""
    transferred = at_gateway.transfers_of(session, batch)
    mine = select(BatchLine).where(BatchLine.batch_id == batch.id, BatchLine.left_out == LeftOut.NO)
    found = session.scalars(mine.execution_options(populate_existing=True))
    lines = {line.public_id: line for line in found if line.public_id not in transferred}
    times = Counter(answer.line for answer in answers)
    return [judged(answer, lines, times[answer.line]) for answer in answers]


def judged(answer: Answer, lines: Mapping[str, BatchLine], times: int) -> Judged:
    line = lines.get(answer.line)
    return Judged(answer, verdict(answer, line, times), line.fen if line else 0)


def verdict(answer: Answer, line: BatchLine | None, times: int) -> Verdict:
    if line is None or line.state is LineState.DUE:
        return Verdict.UNKNOWN
    if times > 1:
        return Verdict.TWICE
    if answer.fen != str(line.fen):
        return Verdict.OTHER_AMOUNT
    result = RESULTS.get(answer.result)
    if result is None:
        return Verdict.NO_RESULT
    if answer.result == BOUNCED and line.state is LineState.CONFIRMED:
        return bounce(answer, line)
    if line.state is not LineState.SENT:
        return Verdict.REPEATS if line.state is result else Verdict.ANSWERED
    if result is LineState.RETURNED and not answer.said:
        return Verdict.NO_REASON
    return Verdict.CONFIRMS if result is LineState.CONFIRMED else Verdict.RETURNS


def bounce(answer: Answer, line: BatchLine) -> Verdict:
    if not line.may_bounce:
        return Verdict.REPEATS
    return Verdict.BOUNCES if answer.said else Verdict.NO_REASON


def apply(session: Session, *, batch: str, content: bytes, actor: str) -> list[Judged]:
    """Do what the file says, row by row; what it may not do is refused by its row. Raises Unreadable, NotFound."""
    row = hold(session, batch)
    found = judge(session, row, read(content))
    for each in found:
        given: dict[str, Any] = {"batch": batch, "line": each.answer.line, "actor": actor}
        said = each.answer.said[:LONGEST]
        if each.verdict is Verdict.CONFIRMS:
            confirming.confirm(session, **given, reference=said)
        elif each.verdict is Verdict.RETURNS:
            confirming.send_back(session, **given, reason=said)
        elif each.verdict is Verdict.BOUNCES:
            bouncing.bounce(session, **given, reason=said)
    done = sum(each.verdict in DOES for each in found)
    subject = f"settlement_batch:{batch}"
    kept = digest(content)
    audit.record(
        session, actor=actor, action="settlement.answered", subject=subject, sha256=kept, rows=len(found), done=done
    )
    return found
