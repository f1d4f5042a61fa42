"""What pledges are kept in. Whatever must never be true of them is refused by the database itself."""

from crowdfund.pledges.models.children import ChildCase, ChildVault, Consent
from crowdfund.pledges.models.devices import Assignment, Device, DeviceModel, Handover
from crowdfund.pledges.models.pledges import Choosing, Deal, DrawSeed, Pledge
from crowdfund.pledges.models.programmes import Agreement, Partner, Programme
from crowdfund.pledges.models.vouchers import BankFile, BankRow, Voucher

__all__ = [
    "Agreement",
    "Assignment",
    "BankFile",
    "BankRow",
    "ChildCase",
    "ChildVault",
    "Choosing",
    "Consent",
    "Deal",
    "Device",
    "DeviceModel",
    "DrawSeed",
    "Handover",
    "Partner",
    "Pledge",
    "Programme",
    "Voucher",
]
