"""Secret links of plans, made from their ids with a key of ours; the database keeps only a hash."""

from marketplace.core.encryption import fingerprint
from marketplace.core.settings import settings


def link_token(plan: str) -> str:
    return fingerprint(plan, "plan.link")


def url_of(plan: str) -> str:
    return f"/gifts/plans/{link_token(plan)}"


def absolute(path: str) -> str:
    """For letters."""
    return f"{settings().base_url.rstrip('/')}{path}"
