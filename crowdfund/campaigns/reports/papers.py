"""A report as a paper and as a table, from what is kept of it and nothing else. The paper is Chinese: it is statutory."""

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l

from crowdfund.campaigns.reports.content import KINDS, Content, balance
from marketplace.core import csv_rows, typesetting
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import signed_yuan, yuan
from marketplace.core.languages import speaking
from marketplace.core.settings import settings

SHEET: Final = Path(__file__).with_name("report.typ")
FOLDER: Final = "reports"
HEAD: Final = ("part", "name", "day", "provider", "credit_code", "invoice", "planned", "amount", "evidence")
PROOF_SHOWN: Final = 12  # letters of a hash that the paper has room for; the table has all of them


class PaperNotSet(Refusal):
    status = 503
    message = _l("The PDF could not be made, so nothing was published. Please try again.")


def set_paper(content: Content, sha256: str) -> str:
    """Have the PDF set and put it away; its hash. Outside any transaction: it takes a moment. Raises PaperNotSet."""
    try:
        pdf = typesetting.make(as_paper(content, sha256), SHEET)
    except subprocess.SubprocessError as error:
        raise PaperNotSet(content["report"]) from error
    digest = hashlib.sha256(pdf).hexdigest()
    place = path_of(digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(".draft")
    draft.write_bytes(pdf)
    draft.rename(place)
    return digest


def path_of(digest: str) -> Path:
    return settings().media_folder.resolve() / FOLDER / digest[:2] / f"{digest}.pdf"


def paper(digest: str) -> bytes:
    """The PDF as it was published. Raises NotFound where it is gone or is no longer what it was."""
    try:
        found = path_of(digest).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(digest) from error
    if hashlib.sha256(found).hexdigest() != digest:
        raise NotFound(digest)
    return found


def kinds_in_words() -> dict[str, str]:
    return {
        "gift": _("Gifts received"),
        "match": _("Matching money added"),
        "unmatch": _("Matching money taken back"),
        "refund": _("Refunded"),
        "return": _("Refunds that came back"),
        "disbursement": _("Paid to providers"),
        "repayment": _("Paid back by providers"),
        "correction": _("Not paid back after all"),
    }


def title_of(content: Mapping[str, Any]) -> str:
    return str(_("Full report") if content["kind"] == "full" else _("Quarterly report"))


def as_paper(content: Content, sha256: str) -> dict[str, Any]:
    """What report.typ shows."""
    with speaking("zh_Hans_CN"):
        facts = [
            [_("Organisation"), f"{content['organisation']} {content['credit_code']}"],
            [_("Filing number"), content["filing_number"]],
            [_("Days it tells of"), _("%(since)s to %(until)s", since=content["since"], until=content["until"])],
            [_("Purpose"), content["purpose"]],
            [_("Who benefits"), content["beneficiaries"]],
            [_("Leftover money"), content["residue"]],
        ]
        last = content["chain"]
        told = _("Figures: the public ledger up to row %(number)s, chain code %(hash)s.", **last)
        note = (told if last["number"] else "") + _("SHA-256 of what is published") + _(": ") + sha256
        return {
            "title": title_of(content),
            "name": content["title"],
            "band": _("Test money, not a report on real gifts") if content["book"] == "test" else "",
            "facts": facts,
            "words_title": _("What was done"),
            "words": [part.strip() for part in content["words"].splitlines() if part.strip()],
            "tables": [figures_table(content), budget_table(content), payments_table(content)],
            "note": note,
        }


def figures_table(content: Content) -> dict[str, Any]:
    period, whole = content["period"], content["whole"]
    words = kinds_in_words()
    rows = [[words[kind], money(period[kind]), money(whole[kind])] for kind in KINDS]
    rows.append([_("Number of gifts"), str(period["gifts"]), str(whole["gifts"])])
    rows.append([_("Left in the account"), "", yuan(balance(whole))])
    heads = [_("Income or expense"), _("In these days"), _("Since the beginning")]
    return {"title": _("Income and expenses"), "columns": ["wide", "fen", "fen"], "heads": heads, "rows": rows}


def money(fen: int) -> str:
    return signed_yuan(fen) if fen else yuan(fen)


def budget_table(content: Content) -> dict[str, Any]:
    rows = [[line["name"], yuan(line["planned_fen"]), yuan(line["spent_fen"])] for line in content["budget"]]
    heads = [_("Budget item"), _("Planned"), _("Spent")]
    return {"title": _("Budget"), "columns": ["wide", "fen", "fen"], "heads": heads, "rows": rows}


def payments_table(content: Content) -> dict[str, Any]:
    rows = [
        [each["paid_on"], purpose(each), each["provider"], each["invoice"], paid(each), proofs(each)]
        for each in content["payments"]
    ]
    heads = [_("Paid on"), _("What it pays for"), _("Provider"), _("Invoice number"), _("Amount"), _("Evidence")]
    columns = ["", "wide", "", "", "fen", ""]
    return {"title": _("Payments to providers"), "columns": columns, "heads": heads, "rows": rows}


def purpose(payment: Content) -> str:
    why = payment.get("beyond_why")
    more = str(_("More than its budget item had: %(why)s", why=why)) if why else ""
    return f"{payment['purpose']}\n{more}" if more else str(payment["purpose"])


def paid(payment: Content) -> str:
    sum_paid, back = yuan(payment["fen"]), payment["repaid_fen"]
    return sum_paid + (str(_("\n(%(sum)s paid back)", sum=yuan(back))) if back else "")


def proofs(payment: Content) -> str:
    return "\n".join(str(each["sha256"])[:PROOF_SHOWN] for each in payment["evidence"]) or str(_("not yet"))


def as_csv(content: Content, sha256: str) -> bytes:
    """UTF-8 with a byte order mark; sums in yuan. Its last line is the hash of what was published."""
    rows: list[tuple[str, ...]] = [HEAD]
    for part in ("period", "whole"):
        since = content["since"] if part == "period" else ""
        days = f"{since}/{content['until']}"
        rows += [line(part, kind, days, amount=csv_rows.yuan(content[part][kind])) for kind in KINDS]
        rows.append(line(part, "gifts", days, amount=str(content[part]["gifts"])))
    rows.append(line("whole", "balance", content["until"], amount=csv_rows.yuan(balance(content["whole"]))))
    for each in content["budget"]:
        sums = {"planned": csv_rows.yuan(each["planned_fen"]), "amount": csv_rows.yuan(each["spent_fen"])}
        rows.append(line("budget", each["name"], **sums))
    for each in content["payments"]:
        whom = {name: each[name] for name in ("provider", "credit_code", "invoice")}
        files = " ".join(proof["sha256"] for proof in each["evidence"])
        told = {"name": each["purpose"], "day": each["paid_on"]} | whom
        rows.append(line("payment", amount=csv_rows.yuan(each["fen"]), evidence=files, **told))
        if each.get("beyond_why"):
            rows.append(line("beyond", each["beyond_why"], each["paid_on"], **whom))
        if each["repaid_fen"]:
            rows.append(line("repaid", amount=csv_rows.yuan(each["repaid_fen"]), **told))
    rows.append(line("sha256", sha256))
    return ("\ufeff" + "".join(csv_rows.row(row) for row in rows)).encode()


def line(part: str, name: str = "", day: str = "", **cells: str) -> tuple[str, ...]:
    known = {"part": part, "name": name, "day": day} | cells
    return tuple(known.get(column, "") for column in HEAD)
