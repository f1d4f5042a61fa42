"""Every part's tables: the schema is complete once this is read."""

from sqlalchemy.orm import Session

from crowdfund.campaigns import ledger_models as public_ledger_models, models as campaign_models, receipt_models
from crowdfund.campaigns.banking import models as banking_models
from crowdfund.campaigns.criteria import models as criteria_models
from crowdfund.campaigns.invited import models as invitation_models
from crowdfund.campaigns.matching import models as matching_models, waiting_models
from crowdfund.campaigns.mirrors import models as mirror_models
from crowdfund.campaigns.moving import models as moving_models
from crowdfund.campaigns.organisations import models as organisation_models, officer_models
from crowdfund.campaigns.plans import models as plan_models
from crowdfund.campaigns.repayments import models as repayment_models
from crowdfund.campaigns.reports import models as report_models
from crowdfund.campaigns.students import models as student_models
from crowdfund.campaigns.whereabouts import models as whereabouts_models
from crowdfund.campaigns.yearly import models as yearly_models
from crowdfund.pledges import models as pledge_models
from crowdfund.presales import models as presale_models
from listings import models as listing_models
from listings.complaints import models as complaint_models
from listings.customer_reviews import models as review_models
from listings.following import models as following_models
from listings.questions import models as question_models
from listings.sheets import models as sheet_models
from marketplace.accounts import models as account_models
from marketplace.core import audit, idempotency, outbox, page_versions, sealing, triggers
from marketplace.core.db import db
from marketplace.ledger import models as ledger_models
from marketplace.notifications import models as notification_models
from marketplace.orders import models as order_models
from marketplace.orders.batches import models as batch_models
from marketplace.orders.cases import models as case_models
from marketplace.orders.closing import models as closing_models
from marketplace.orders.groups import models as group_models
from marketplace.orders.institutions import models as institution_models
from marketplace.orders.invoices import models as invoice_models
from marketplace.orders.offline import models as offline_models
from marketplace.orders.promotions import models as promotion_models
from marketplace.orders.receiving import models as receiving_models
from marketplace.payments import models as payment_models
from marketplace.payments.by_bank import models as bank_transfer_models
from marketplace.payments.disputes import models as dispute_models
from marketplace.payments.reconciliation import models as reconciliation_models
from marketplace.payments.transfers import models as transfer_models
from marketplace.stations import models as station_models

MODELS = (
    account_models,
    audit,
    bank_transfer_models,
    batch_models,
    banking_models,
    organisation_models,
    officer_models,
    campaign_models,
    case_models,
    closing_models,
    complaint_models,
    criteria_models,
    dispute_models,
    following_models,
    group_models,
    idempotency,
    invoice_models,
    institution_models,
    ledger_models,
    listing_models,
    sheet_models,
    invitation_models,
    matching_models,
    mirror_models,
    waiting_models,
    moving_models,
    notification_models,
    offline_models,
    order_models,
    outbox,
    page_versions,
    payment_models,
    plan_models,
    report_models,
    repayment_models,
    whereabouts_models,
    public_ledger_models,
    pledge_models,
    presale_models,
    promotion_models,
    receipt_models,
    receiving_models,
    reconciliation_models,
    sealing,
    station_models,
    student_models,
    transfer_models,
    review_models,
    question_models,
    yearly_models,
)


def build(session: Session) -> None:
    """All tables, and the triggers that guard them."""
    db.metadata.create_all(session.connection())
    triggers.create_all(session.connection())
