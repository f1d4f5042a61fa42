"""The file that tells the bank whom to pay: CSV that sums itself up, and the same bytes whenever it is made.

First `H,1,batch,day,currency,number of payments,total in fen,total in yuan`; then for each payment
`P,end-to-end id,holder,bank,account number,fen,yuan,purpose`; last `T,number,total in fen,SHA-256 of all before this line`.
docs/payments.md describes it for the bank."""

import hashlib
from collections.abc import Sequence
from typing import Final

from marketplace.core import clock
from marketplace.core.csv_rows import row, yuan
from marketplace.orders.batches.models import BatchLine, SettlementBatch

VERSION: Final = "1"
PURPOSE: Final = "货款结算"  # on the payee's bank statement


def content(batch: SettlementBatch, lines: Sequence[BatchLine]) -> bytes:
    """The whole file of a batch that is sent; `lines` are those that pay, in the order of their owners."""
    if batch.sent_at is None:
        raise ValueError(f"{batch.public_id} was not sent")
    count, total = len(lines), sum(line.fen for line in lines)
    day = clock.local(batch.sent_at).date().isoformat()
    head = ("H", VERSION, batch.public_id, day, "CNY", str(count), str(total), yuan(total))
    above = (row(head) + "".join(payment(batch, line) for line in lines)).encode()
    return above + row(("T", str(count), str(total), digest(above))).encode()


def payment(batch: SettlementBatch, line: BatchLine) -> str:
    payee = (line.holder, line.bank, line.number)
    return row(("P", line.public_id, *payee, str(line.fen), yuan(line.fen), f"{PURPOSE} {batch.public_id}"))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
