"""The SQL of the cashier's every day, prepared once: to build a statement takes longer than to send it."""

from typing import Final

from sqlalchemy import bindparam, insert, select, update

from marketplace.payments.sandbox.storage import answered, mandate, movement, payment, refund, webhook

MAY_BE_PAID: Final = ("requires_payment_method", "failed")

PAYMENT: Final = select(payment).where(payment.c.id == bindparam("wanted"))
NEW_PAYMENT: Final = insert(payment).returning(*payment.c)
DECIDED: Final = (
    update(payment)
    .where(payment.c.id == bindparam("wanted"), payment.c.status.in_(MAY_BE_PAID))
    .values(status=bindparam("decision"), decided_at=bindparam("now"), payer=bindparam("card"))
    .returning(*payment.c)
)
SLOW_PAYMENT: Final = (
    select(payment.c.id).where(payment.c.status == "processing", payment.c.decided_at <= bindparam("then")).limit(1)
)
PENDING_REFUND: Final = select(refund.c.id).where(refund.c.status == "pending", refund.c.due_at <= bindparam("now")).limit(1)
MANDATE: Final = select(mandate).where(mandate.c.payment_id == bindparam("wanted"))
ANSWER: Final = select(answered).where(answered.c.key == bindparam("wanted"))
NEW_ANSWER: Final = insert(answered)
NEW_MOVEMENT: Final = insert(movement)
DUE_WEBHOOK: Final = select(webhook.c.id).where(~webhook.c.is_delivered, webhook.c.next_at <= bindparam("now")).limit(1)
NEW_WEBHOOK: Final = insert(webhook)
LEASED: Final = (
    update(webhook)
    .where(webhook.c.id == bindparam("wanted"))
    .values(tries=bindparam("tried"), next_at=bindparam("again_at"))
)
DELIVERED: Final = update(webhook).where(webhook.c.id == bindparam("wanted")).values(is_delivered=True)
