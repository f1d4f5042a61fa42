#!/usr/bin/env python3
"""Check the public ledger by yourself. 自己验一遍阳光账本。

    python3 verify.py ledger.csv                          the whole file 验整本账; ledger.jsonl does as well 也可以
    python3 verify.py ledger.csv --row 48213              and prove one row of it 再证明某一行在账里
    python3 verify.py ledger.csv --expect 48213:9f3c...   with a chain code you noted down before 对上你以前抄下的链码
    python3 verify.py ledger.csv --expect 2026-10-17:8c1f...       or with the root of a day 或者某一天的日根
    python3 verify.py ledger.csv --spent spent.csv        which gift paid which line of which invoice 哪笔捐款付了哪一行发票
    python3 verify.py ledger.csv --spent spent.csv --row 48213     where each fen of that row is 那一笔的每一分在哪
    python3 verify.py --proof proof.json                  a proof alone, without the file 只验一份证明

Needs Python 3.9 or newer and nothing else: it opens no network connection and writes no file. It knows nothing of the
program that wrote the ledger; the formats are those of docs/ledger.md. Exit code 0: everything fits. 1: something does
not, and the first row that does not is named. 2: the question was wrong.
只要 Python 3.9 以上，不连网，不写文件。全对退出码为 0；有一处不对为 1，并说出是第几行。"""

from __future__ import annotations

import argparse
import csv
import hashlib
import heapq
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

HEAD = b"\xef\xbb\xbfnumber,at,book,kind,campaign,fen,who,what,commitment,reference,campaign_fen,book_fen,hash"
ROW = re.compile(
    rb"([1-9][0-9]*),([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{6})Z,(live|test),([a-z]+),([A-Za-z0-9]+),"
    rb'(-?[1-9][0-9]*),"((?:[^"]|"")*)","((?:[^"]|"")*)",([0-9a-f]*),([A-Za-z0-9:_-]+),'
    rb"(0|-?[1-9][0-9]*),(0|-?[1-9][0-9]*),([0-9a-f]{64})"
)
ROOT = re.compile(rb"root,([0-9]{4}-[0-9]{2}-[0-9]{2}),([1-9][0-9]*),([1-9][0-9]*),([0-9a-f]{64})")
JSON_ROOT = re.compile(
    rb'\{"day":"([0-9]{4}-[0-9]{2}-[0-9]{2})","first":([1-9][0-9]*),"last":([1-9][0-9]*),"root":"([0-9a-f]{64})"\}'
)
JSON_END = re.compile(rb'\{"rows":(0|[1-9][0-9]*),"sha256":"([0-9a-f]{64})"\}')
END = re.compile(rb"end,(0|[1-9][0-9]*),([0-9a-f]{64})")
JSON_HEAD = re.compile(rb'\{(?:"campaign":"([A-Za-z0-9]+)",)?"format":"sunshine-ledger","version":1\}\n')
CELLS = HEAD[3:].decode().replace("at,", "at,fraction,", 1).split(",")
TEXTS = ("book", "campaign", "commitment", "kind", "reference", "what", "who")
SPENT_HEAD = b"\xef\xbb\xbfgift_row,kind,status,yuan,payment_row,payment,provider,invoice,line,what"
SPENT_END = re.compile(rb"end,([A-Za-z0-9]+),(live|test),(0|[1-9][0-9]*),([0-9a-f]{64})")
SPENT_CELLS = SPENT_HEAD[3:].decode().split(",")
WHERE = {"spent": "spent 已付", "not_spent": "not yet spent 还没花", "sent_back": "sent back to the giver 已退回"}
WHERE["repaid"] = "paid back by the provider 收款方已退回"
WHERE["corrected"] = "not paid back after all 其实没有退回"
OF_PROVIDERS = {"repayment": "repaid", "correction": "corrected"}
ON_LINES = {"spent", *OF_PROVIDERS.values()}  # what says which line of which invoice it is about
CAME, WENT_BACK = {"gift", "match"}, {"refund", "unmatch", "return"}
SHOWN = ("number", "campaign_fen", "book_fen", "hash", "previous")  # beside what is sealed
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (every moment in the file is UTC)
PATIENCE = 2.0  # seconds that nobody minds; after them, and as often again, it says how far it is
RISKY = "=+-@＝＋－＠'\t\r"  # a table program would take such a text for a formula: an apostrophe stands before it


class Wrong(Exception):
    """What does not fit, in words."""


def text_of(cell: bytes) -> str:
    """The text of a quoted cell: quotes single again, the apostrophe before a formula's first letter taken off."""
    text = cell.decode("utf-8").replace('""', '"')
    if text.startswith("'") and text[1:2] in tuple(RISKY):
        return text[1:]
    if text[:1] in tuple(RISKY):
        raise ValueError("a text that begins like a formula")
    return text


def canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def row_of_csv(line: bytes) -> dict[str, Any]:
    found = ROW.fullmatch(line[:-1])
    if not found:
        raise ValueError("no row")
    row: dict[str, Any] = {name: cell.decode() for name, cell in zip(CELLS, found.groups())}  # noqa: B905 (of Python 3.10)
    moment = datetime.strptime(row.pop("at"), "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 (UTC, as above)
    row["at"] = (moment - EPOCH) // timedelta(seconds=1) * 1000000 + int(row.pop("fraction"))
    row.update({name: int(row[name]) for name in ("number", "fen", "campaign_fen", "book_fen")})
    return {**row, "who": text_of(found.group(8)), "what": text_of(found.group(9))}


def row_of_json(line: bytes, keys: tuple[str, ...]) -> dict[str, Any]:
    """The row, where it is written in the one way that there is."""
    row: dict[str, Any] = json.loads(line)
    texts = (*TEXTS, *(key for key in keys if key in {"hash", "previous"}))
    right = all(type(row[key]) is (str if key in texts else int) for key in row) and set(row) == {"at", "fen", *TEXTS, *keys}
    if not right or canonical(row) != line[:-1] or not re.fullmatch("[0-9a-f]{64}", row["hash"]):
        raise ValueError("no row")
    return row


def link(previous: str, number: int, digest: str) -> str:
    return hashlib.sha256(f"{previous}\n{number}\n{digest}".encode()).hexdigest()


class Ledger:
    """Reads the file line by line; keeps one hash a row for the daily trees, and the balances."""

    def __init__(self, wanted: int = 0, expected: dict[Any, str] | None = None, keeps_rows: bool = False) -> None:
        self.wanted, self.expected = wanted, expected or {}
        self.hashes: list[str] = []
        self.numbers: set[int] = set()
        self.roots: list[tuple[str, int, int, str]] = []
        self.balances: dict[Any, int] = {}
        self.proved: dict[str, Any] = {}
        self.previous, self.last = "0" * 64, 0
        self.whole = hashlib.sha256()
        self.ended = False
        self.is_json, self.campaign = False, ""  # the campaign whose rows alone these are
        self.rows: dict[int, dict[str, Any]] | None = {} if keeps_rows else None

    def read(self, lines: Iterator[bytes]) -> None:
        first = next(lines, b"")
        head = JSON_HEAD.fullmatch(first)
        if not head and first != HEAD + b"\n":
            raise Wrong("The first line is not that of a ledger. 第一行不是账本的表头。")
        self.is_json, self.campaign = bool(head), (head.group(1) or b"").decode() if head else ""
        self.whole.update(first)
        for line in lines:
            if self.ended:
                raise Wrong("There is something after the last line. 最后一行后面还有东西。")
            if line.startswith((b"root,", b'{"day":')):
                self.read_root(line)
            elif line.startswith((b"end,", b'{"rows":')):
                self.read_end(line)
            else:
                self.read_row(line)
            self.whole.update(line)
        if not self.ended:
            raise Wrong(f"The file ends after row {self.last} without its last line. 文件不完整，缺最后一行。")
        seen = self.numbers if self.campaign else range(self.last + 1)
        noted = [each for each in self.expected if isinstance(each, int)]
        missing = [number for number in (*noted, self.wanted) if number and number not in seen]
        if missing:
            raise Wrong(f"There is no row {missing[0]}. 没有第 {missing[0]} 行。")
        days = sorted({each for each in self.expected if isinstance(each, str)} - {root[0] for root in self.roots})
        if days:
            raise Wrong(f"There is no root of {days[0]}. 没有 {days[0]} 的日根。")

    def read_row(self, line: bytes) -> None:
        number = self.last + 1
        keys = SHOWN if self.campaign else SHOWN[:-1]
        try:
            if not line.endswith(b"\n") or self.roots:
                raise ValueError("not here")
            row = row_of_json(line, keys) if self.is_json else row_of_csv(line)
        except (ValueError, KeyError, RecursionError):  # no such date, no UTF-8, a cell that nobody would write so
            raise Wrong(f"Row {number} cannot be read. 第 {number} 行读不出来。") from None
        if row["number"] < number or (row["number"] > number and not self.campaign):
            raise Wrong(f"Row {number} is missing: {row['number']} stands there. 少了第 {number} 行。")
        follows = row["number"] == number and (number == 1 or self.hashes)
        before = self.previous if follows else row.get("previous", "")
        number, code, content = row["number"], row["hash"], {key: row[key] for key in sorted(row) if key not in SHOWN}
        digest = hashlib.sha256(canonical(content)).hexdigest()
        if link(before, number, digest) != code or row.get("previous", before) != before:
            raise Wrong(f"Row {number} was changed: its chain code does not fit. 第 {number} 行被改过：链码对不上。")
        if self.campaign not in {"", row["campaign"]}:
            raise Wrong(f"Row {number} is another campaign's. 第 {number} 行是别的项目的。")
        for key, shown in (((row["book"], row["campaign"]), "campaign_fen"), (row["book"], "book_fen")):
            self.balances[key] = self.balances.get(key, 0) + row["fen"]
            is_known = shown == "campaign_fen" or not self.campaign
            if (is_known and self.balances[key] != row[shown]) or row[shown] < 0:
                raise Wrong(f"Row {number}: the balance should be {self.balances[key]}. 第 {number} 行：余额不对。")
        if self.expected.get(number, code) != code:
            raise Wrong(f"Row {number} is not what it was when you noted it. 第 {number} 行和你抄下的不一样。")
        if number == self.wanted:
            self.proved = {"number": number, "previous": before, "row": content, "hash": code}
        if self.rows is not None:
            self.rows[number] = content
        self.hashes.append(code)
        self.numbers.update([number] if self.campaign else [])
        self.last, self.previous = number, code

    def read_root(self, line: bytes) -> None:
        """The tree of one day: days follow each other, none is left out, and the hashes give the root."""
        found = (JSON_ROOT if self.is_json else ROOT).fullmatch(line[:-1])
        if not found or self.campaign:
            raise Wrong(f"The root after {self.roots[-1][0] if self.roots else 'the rows'} cannot be read. 日根读不出来。")
        day = found.group(1).decode()
        first, last = int(found.group(2)), int(found.group(3))
        before = self.roots[-1] if self.roots else ("", 0, 0, "")
        if first != before[2] + 1 or not first <= last <= len(self.hashes) or not before[0] < is_day(day):
            raise Wrong(f"The root of {day} does not follow the one before. {day} 的日根接不上。")
        if tree(self.hashes[first - 1 : last]).hex() != found.group(4).decode():
            raise Wrong(f"The root of {day} does not fit rows {first} to {last}. {day} 的日根和第 {first}-{last} 行对不上。")
        if self.expected.get(day, found.group(4).decode()) != found.group(4).decode():
            raise Wrong(f"The root of {day} is not what it was when you noted it. {day} 的日根和你抄下的不一样。")
        self.roots.append((day, first, last, found.group(4).decode()))

    def read_end(self, line: bytes) -> None:
        found = (JSON_END if self.is_json else END).fullmatch(line[:-1]) if line.endswith(b"\n") else None
        if not found or int(found.group(1)) != len(self.hashes) or found.group(2).decode() != self.whole.hexdigest():
            raise Wrong("The last line does not fit the file. 最后一行和文件对不上。")
        self.ended = True

    def proof(self) -> dict[str, Any]:
        """The wanted row with its way up the tree of its day; of a day that is not closed, the tree as far as it goes."""
        number = self.wanted
        closed = next((root for root in self.roots if root[1] <= number <= root[2]), None)
        first = closed[1] if closed else (self.roots[-1][2] if self.roots else 0) + 1
        last = closed[2] if closed else len(self.hashes)
        leaves = self.hashes[first - 1 : last]
        where = {"day": closed[0] if closed else "open", "first": first, "last": last}
        return {**self.proved, **where, "path": path(leaves, number - first), "root": tree(leaves).hex()}


class Spent:
    """The file that says which gift paid which line of which invoice; each sum and name is held against the ledger."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.campaign, self.book, self.until, self.is_whole = "", "", 0, False
        self.payments, self.unsealed = 0, 0
        self.repaid = 0  # by providers, rows
        self.named, self.nameless = 0, 0  # of what went back: rows that name the gift, and those from before they did

    def read(self, lines: Iterator[bytes]) -> None:
        first = next(lines, b"")
        if first != SPENT_HEAD + b"\r\n":
            raise Wrong("The first line is not that of a file of spent gifts. 第一行不是捐款去向表的表头。")
        whole = hashlib.sha256(first)
        for number, line in enumerate(lines, start=2):
            if self.campaign:
                raise Wrong("There is something after the last line. 最后一行后面还有东西。")
            found = SPENT_END.fullmatch(line[:-2]) if line.endswith(b"\r\n") else None
            if found:
                self.campaign, self.book, self.until = found.group(1).decode(), found.group(2).decode(), int(found.group(3))
                self.is_whole = found.group(4).decode() == whole.hexdigest()
            else:
                self.read_part(number, line)
            whole.update(line)
        if not self.campaign:
            raise Wrong(
                "The last line is missing: the file was cut short, or money moved while it was written. Download it again. "
                "缺最后一行：文件不完整，或者下载时正好有钱在动。请重新下载。"
            )

    def read_part(self, number: int, line: bytes) -> None:
        try:
            cells = next(csv.reader([line.decode("utf-8")], strict=True))
            part: dict[str, Any] = dict(zip(SPENT_CELLS, map(without_apostrophe, cells)))  # noqa: B905 (of Python 3.10)
            yuan = re.fullmatch("(0|[1-9][0-9]*)[.]([0-9]{2})", part["yuan"])
            is_spent = part["status"] in ON_LINES
            if len(cells) != len(SPENT_CELLS) or not line.endswith(b"\r\n") or not yuan or part["status"] not in WHERE:
                raise ValueError("no part")
            if OF_PROVIDERS.get(part["kind"]) != (part["status"] if part["status"] in OF_PROVIDERS.values() else None):
                raise ValueError("neither of a gift nor of a provider")
            part.update({"fen": int(yuan.group(1) + yuan.group(2)), "gift": whole_number(part["gift_row"]), "at": number})
            part.update({name: whole_number(part[name]) if is_spent else 0 for name in ("payment_row", "line")})
            if not part["fen"]:
                raise ValueError("nothing")
        except (ValueError, KeyError, StopIteration, csv.Error):
            raise Wrong(f"Line {number} cannot be read. 表的第 {number} 行读不出来。") from None
        self.parts.append(part)

    def check(self, rows: dict[int, dict[str, Any]], last: int) -> None:
        """Each gift is the sum of its parts; each invoice is paid in full and is what was sealed; what went back is all."""
        if self.until > last:
            raise Wrong(f"The ledger ends at {last}, row {self.until} is missing: download it again. 账本太旧，请重新下载。")
        whose = (self.campaign, self.book)
        mine = {
            number: row for number, row in rows.items() if number <= self.until and whose == (row["campaign"], row["book"])
        }
        paid = self.check_gifts(mine)
        self.check_repayments(mine)
        for number, row in mine.items():
            if row["kind"] == "disbursement":
                self.check_payment(number, row, paid.pop(number, []))
        if paid:
            raise Wrong(f"Row {min(paid)} is no payment of it. 第 {min(paid)} 行不是这个项目的拨款。")
        back = sum(part["fen"] for part in self.parts if part["status"] == "sent_back")
        gone = -sum(row["fen"] for row in mine.values() if row["kind"] in WENT_BACK)
        if back != gone:
            raise Wrong(f"{back} fen went back, the ledger says {gone}. 退回的合计和账本对不上。")
        if not self.is_whole:
            raise Wrong("The last line does not fit the file. 最后一行和文件对不上。")
        self.nameless = sum(row["kind"] in WENT_BACK and not row["commitment"] for row in mine.values())
        self.named = sum(row["kind"] in WENT_BACK for row in mine.values()) - self.nameless
        if not self.nameless:
            self.check_order(mine)

    def check_order(self, mine: dict[int, dict[str, Any]]) -> None:
        """What came first is spent first: made again from the rows and the lines of the invoices alone."""
        lines: dict[int, dict[int, int]] = {}
        said: dict[tuple[int, str, int, int], int] = {}
        for part in self.parts:
            key = (part["gift"], part["status"], part["payment_row"], part["line"])
            said[key] = said.get(key, 0) + part["fen"]
            if part["status"] in ON_LINES:
                line = lines.setdefault(part["payment_row"], {})
                line[part["line"]] = line.get(part["line"], 0) + signed(part)
        followed = Followed(lines, {**self.lines_back(), **self.lines_back("corrected")})
        for number in sorted(mine):
            followed.follow(number, mine[number])
        derived = followed.parts()
        for key in sorted(set(said) | set(derived)):
            if said.get(key, 0) != derived.get(key, 0):
                raise Wrong(
                    f"Row {key[0]}: {said.get(key, 0)} fen are {WHERE[key[1]]} by the table, by the order of the ledger "
                    f"{derived.get(key, 0)}. 第 {key[0]} 行不符合“先到先用”。"
                )

    def check_gifts(self, mine: dict[int, dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
        """Returns by payment what gifts paid of it, and what of it was paid back."""
        came = dict.fromkeys(mine, 0)
        paid: dict[int, list[dict[str, Any]]] = {}
        for part in self.parts:
            if part["kind"] in OF_PROVIDERS:
                paid.setdefault(part["payment_row"], []).append(part)
                continue
            row = mine.get(part["gift"], {"kind": ""})
            if row["kind"] not in CAME or row["kind"] != part["kind"]:
                raise Wrong(
                    f"Line {part['at']}: row {part['gift']} is no such gift. 账本第 {part['gift']} 行不是这样的捐款。"
                )
            came[part["gift"]] += part["fen"]
            if part["status"] == "spent":
                paid.setdefault(part["payment_row"], []).append(part)
        for number, row in mine.items():
            if row["kind"] in CAME and came[number] != row["fen"]:
                raise Wrong(
                    f"Row {number} is {row['fen']} fen, its parts are {came[number]}. 第 {number} 行的去向加起来不对。"
                )
        return paid

    def lines_back(self, status: str = "repaid") -> dict[int, list[tuple[int, int, int]]]:
        """By the row of money that a provider paid back, or of its correction: (payment, line, fen)."""
        found: dict[int, list[tuple[int, int, int]]] = {}
        for part in self.parts:
            if part["status"] == status:
                found.setdefault(part["gift"], []).append((part["payment_row"], part["line"], part["fen"]))
        return found

    def check_repayments(self, mine: dict[int, dict[str, Any]]) -> None:
        """What a provider paid back is of one payment before it, and of the lines that were sealed with it."""
        back = self.lines_back()
        for number, row in mine.items():
            if row["kind"] != "repayment":
                continue
            lines = sorted(back.pop(number, []))
            payments = {payment for payment, _line, _fen in lines}
            paid = mine.get(min(payments), {}) if len(payments) == 1 else {}
            named = {"kind": "disbursement", "lines": [[line, fen] for _payment, line, fen in lines]}
            named["reference"] = paid.get("reference", "")
            is_its = paid.get("kind") == "disbursement" and min(payments) < number and paid["who"] == row["who"]
            if not is_its or hashlib.sha256(canonical(named)).hexdigest() != row["commitment"]:
                raise Wrong(f"Row {number} was paid back of other lines. 第 {number} 行退回的不是表里写的发票行。")
            if sum(fen for _payment, _line, fen in lines) != row["fen"]:
                raise Wrong(f"Row {number} is {row['fen']} fen, its lines are not. 第 {number} 行退款和各行合计对不上。")
            self.repaid += 1
        if back:
            raise Wrong(f"Row {min(back)} is nothing that was paid back. 第 {min(back)} 行不是收款方退款。")
        self.check_corrections(mine)

    def check_corrections(self, mine: dict[int, dict[str, Any]]) -> None:
        """What was not paid back after all is all of one row before it, line by line, once."""
        undone, back, names = self.lines_back("corrected"), self.lines_back(), {}
        for number, row in mine.items():
            if row["kind"] == "repayment":
                names[digest({"kind": row["kind"], "reference": row["reference"]})] = number
        for number, row in mine.items():
            if row["kind"] != "correction":
                continue
            first, lines = names.pop(row["commitment"], number), sorted(undone.pop(number, []))
            said = (row["fen"], row["who"])
            if first >= number or lines != sorted(back.get(first, [])) or said != (-mine[first]["fen"], mine[first]["who"]):
                raise Wrong(f"Row {number} corrects other lines. 第 {number} 行更正的不是表里写的发票行。")
            self.repaid -= 1
        if undone:
            raise Wrong(f"Row {min(undone)} is no correction. 第 {min(undone)} 行不是更正。")

    def check_payment(self, number: int, row: dict[str, Any], parts: list[dict[str, Any]]) -> None:
        """All that gifts paid of it; and the invoice, where it was sealed with the payment."""
        lines: dict[int, list[Any]] = {}
        for part in parts:
            line = lines.setdefault(part["line"], [part["what"], 0])
            line[1] += signed(part)
            is_its = (part["provider"], f"disburse:{part['payment']}") == (row["who"], row["reference"])
            if not is_its or (part["what"], part["invoice"]) != (line[0], parts[0]["invoice"]):
                raise Wrong(
                    f"Line {part['at']} does not fit row {number}. 表的第 {part['at']} 行和账本第 {number} 行对不上。"
                )
        spent = sum(fen for _what, fen in lines.values())
        if spent != -row["fen"]:
            raise Wrong(f"Row {number} paid {-row['fen']} fen, gifts {spent}. 第 {number} 行拨款和捐款合计对不上。")
        invoice = {"invoice": parts[0]["invoice"], "lines": [lines[position] for position in sorted(lines)]}
        if row["commitment"] not in {"", hashlib.sha256(canonical(invoice)).hexdigest()}:
            raise Wrong(f"Row {number} was sealed with another invoice. 第 {number} 行入账时的发票不是这样写的。")
        self.payments, self.unsealed = self.payments + 1, self.unsealed + (row["commitment"] == "")

    def report(self, row: int) -> Iterator[str]:
        gifts = len({part["gift"] for part in self.parts if part["kind"] not in OF_PROVIDERS})
        yield f"OK: every fen of {gifts} gifts of {self.campaign} up to row {self.until}, {self.payments} invoices in full."
        yield f"全对：到第 {self.until} 行的 {gifts} 笔捐款，每一分都有去处；{self.payments} 张发票都付足了。"
        if self.repaid:
            yield f"What providers paid back is taken off: {self.repaid} times. 其中收款方退回 {self.repaid} 笔，已扣除。"
        if self.unsealed:
            yield f"{self.unsealed} of them are from before invoices were sealed. 其中 {self.unsealed} 张早于发票入链。"
        if self.nameless:
            yield (
                f"That what came first is spent first cannot be made again: {self.nameless} refunds are from before they "
                f"named their gift. 有 {self.nameless} 笔退款早于写明捐款，无法重算“先到先用”。"
            )
        else:
            yield f"What came first is spent first: made again from the rows alone, {self.named} refunds included."
            yield f"先到先用：只凭账本各行重新算过，含 {self.named} 笔退回，一分不差。"
        mine = [part for part in self.parts if part["gift"] == row]
        if row and not mine:
            yield f"Row {row} is no gift in this file. 第 {row} 行不是这张表里的捐款。"
        for part in mine:
            paid = (
                f": {part['provider']}, {part['invoice']} / {part['line']}, {part['what']} (row 第 {part['payment_row']} 行)"
            )
            yield f"  {part['yuan']} {WHERE[part['status']]}{paid if part['status'] in ON_LINES else ''}"


class Followed:
    """Money made to follow the rules of docs/ledger.md: what came first is spent first; what goes back was not spent yet,
    else other money takes over the lines that it had paid, the latest payment and its last line first; what a provider pays
    back was spent last on its line, and what had not come back is spent again."""

    def __init__(self, lines: dict[int, dict[int, int]], back: dict[int, list[tuple[int, int, int]]]) -> None:
        self.lines = lines  # of each payment's row, fen by position
        self.lines_back = back  # of each row that was paid back, or had not been: payment, position, fen
        self.undone: set[int] = set()
        self.named: dict[str, int] = {}
        self.left: dict[int, int] = {}
        self.back: dict[int, int] = {}
        self.paid: dict[int, dict[tuple[int, int], int]] = {}
        self.first: list[int] = []  # a heap of the rows of which something may be left

    def follow(self, number: int, row: dict[str, Any]) -> None:
        if row["kind"] in CAME:
            name = canonical({"kind": row["kind"], "reference": row["reference"]})
            self.named[hashlib.sha256(name).hexdigest()] = number
            self.left[number], self.back[number], self.paid[number] = row["fen"], 0, {}
            heapq.heappush(self.first, number)
        elif row["kind"] == "disbursement":
            for position in sorted(self.lines.get(number, {})):
                self.cover(number, (number, position), self.lines[number][position])
        elif row["kind"] == "repayment":
            for payment, position, fen in sorted(self.lines_back.get(number, [])):
                self.uncover(number, (payment, position), fen)
        elif row["kind"] == "correction":
            self.undone.add(number)
            for payment, position, fen in sorted(self.lines_back.get(number, [])):
                self.cover(number, (payment, position), fen)
        elif row["commitment"] not in self.named:
            raise Wrong(f"Row {number} names no gift that came before. 第 {number} 行没有指明此前的哪笔捐款。")
        elif row["kind"] == "return":
            self.come_again(number, self.named[row["commitment"]], row["fen"])
        else:
            self.go_back(number, self.named[row["commitment"]], -row["fen"])

    def come_again(self, number: int, gift: int, fen: int) -> None:
        if fen > self.back[gift]:
            raise Wrong(f"Row {number} returns more than went. 第 {number} 行回来的比退出去的多。")
        self.back[gift] -= fen
        self.left[gift] += fen
        heapq.heappush(self.first, gift)

    def go_back(self, number: int, gift: int, fen: int) -> None:
        free = min(fen, self.left[gift])
        self.left[gift] -= free
        self.back[gift] += fen
        rest, freed = fen - free, []
        for line in sorted(self.paid[gift], reverse=True):
            taken = min(rest, self.paid[gift][line])
            if taken:
                rest -= taken
                self.paid[gift][line] -= taken
                freed.append((line, taken))
        if rest:
            raise Wrong(f"Row {number} sends back more than came. 第 {number} 行退的比捐的多。")
        for line, taken in freed:
            self.cover(number, line, taken)

    def cover(self, number: int, line: tuple[int, int], fen: int) -> None:
        while fen:
            if not self.first:
                raise Wrong(f"Row {number} pays more than is there. 第 {number} 行付的比账上的多。")
            gift = self.first[0]
            taken = min(fen, self.left[gift])
            if taken:
                fen -= taken
                self.left[gift] -= taken
                self.paid[gift][line] = self.paid[gift].get(line, 0) + taken
            if not self.left[gift]:
                heapq.heappop(self.first)

    def uncover(self, number: int, line: tuple[int, int], fen: int) -> None:
        for gift in sorted((each for each, paid in self.paid.items() if paid.get(line)), reverse=True):
            taken = min(fen, self.paid[gift][line])
            if not taken:
                break
            fen -= taken
            self.paid[gift][line] -= taken
            self.left[gift] += taken
            heapq.heappush(self.first, gift)
        if fen:
            raise Wrong(f"Row {number} pays back more than was paid. 第 {number} 行退的比付的多。")

    def parts(self) -> dict[tuple[int, str, int, int], int]:
        """By gift, status, payment and line."""
        found = {
            (gift, "spent", payment, position): fen
            for gift, paid in self.paid.items()
            for (payment, position), fen in paid.items()
            if fen
        }
        for status, sums in (("not_spent", self.left), ("sent_back", self.back)):
            found.update({(gift, status, 0, 0): fen for gift, fen in sums.items() if fen})
        for number, lines in self.lines_back.items():
            status = "corrected" if number in self.undone else "repaid"
            found.update({(number, status, payment, position): fen for payment, position, fen in lines})
        return found


def digest(named: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(named)).hexdigest()


def signed(part: dict[str, Any]) -> int:
    """A correction takes off its line what had been said to have come back."""
    return -int(part["fen"]) if part["status"] == "corrected" else int(part["fen"])


def without_apostrophe(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell


def whole_number(text: str) -> int:
    """Raises ValueError for what is not written in the one way that there is."""
    if not re.fullmatch("[1-9][0-9]*", text):
        raise ValueError("no number")
    return int(text)


def is_day(text: str) -> str:
    """The day as it is written. Raises Wrong for one that no calendar has."""
    try:
        return date(*map(int, text.split("-"))).isoformat()
    except ValueError:
        raise Wrong(f"There is no day {text}. 没有 {text} 这一天。") from None


def leaf(code: str) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(code)).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree(codes: list[str]) -> bytes:
    """The root over these chain codes by RFC 6962, section 2.1."""
    if len(codes) == 1:
        return leaf(codes[0])
    half = 1 << ((len(codes) - 1).bit_length() - 1)
    return node(tree(codes[:half]), tree(codes[half:]))


def path(codes: list[str], place: int) -> list[list[str]]:
    """The roots of the neighbours on the way from a leaf up, and on which side each stands."""
    if len(codes) == 1:
        return []
    half = 1 << ((len(codes) - 1).bit_length() - 1)
    if place < half:
        return [*path(codes[:half], place), ["right", tree(codes[half:]).hex()]]
    return [*path(codes[half:], place - half), ["left", tree(codes[:half]).hex()]]


def sides(place: int, count: int) -> list[str]:
    """On which side each neighbour stands on the way up from a leaf: there is no other way."""
    if count == 1:
        return []
    half = 1 << ((count - 1).bit_length() - 1)
    return [*sides(place, half), "right"] if place < half else [*sides(place - half, count - half), "left"]


def check_proof(proof: dict[str, Any]) -> None:
    """Raises Wrong where the row does not lead to the root, or stands elsewhere than it says."""
    number, first, last = (int(proof[name]) for name in ("number", "first", "last"))
    if not 1 <= first <= number <= last < 1 << 63:
        raise Wrong(f"Row {number} is not between {first} and {last}. 第 {number} 行不在 {first}-{last} 之间。")
    if [side for side, _other in proof["path"]] != sides(number - first, last - first + 1):
        raise Wrong("The proof does not hold: its way up is another. 证明不成立：上去的路不对。")
    code = link(proof["previous"], proof["number"], hashlib.sha256(canonical(proof["row"])).hexdigest())
    reached = leaf(code)
    for side, other in proof["path"]:
        neighbour = bytes.fromhex(other)
        reached = node(neighbour, reached) if side == "left" else node(reached, neighbour)
    if code != proof["hash"] or reached.hex() != proof["root"]:
        raise Wrong("The proof does not hold: the row does not lead to the root. 证明不成立：这一行连不到日根。")


def followed(lines: Iterator[bytes], size: int, patience: float = PATIENCE) -> Iterator[bytes]:
    """The same lines of a file of so many bytes; whoever waits is told on the side how much of it is read."""
    done, told = 0, time.monotonic()
    for number, line in enumerate(lines):
        done += len(line)
        if number % 500 == 0 and time.monotonic() - told >= patience:
            told = time.monotonic()
            sys.stderr.write(f"{done * 100 // size} % read 已读 {done * 100 // size}%, {number} rows 行\n")
        yield line


def say(words: str) -> None:
    sys.stdout.write(words + "\n")


def noted(text: str) -> tuple[int | str, str]:
    """The code of a row, or the root of a day."""
    which, _, code = text.partition(":")
    is_a_day = re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", which)
    if not (which.isdigit() or is_a_day) or not re.fullmatch("[0-9a-f]{64}", code):
        raise argparse.ArgumentTypeError("NUMBER:CHAIN-CODE or DAY:ROOT")
    return which if is_a_day else int(which), code


def main() -> int:
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (it stays open as long as the program)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--row", type=int, default=0)
    parser.add_argument("--expect", type=noted, action="append", default=[])
    parser.add_argument("--proof")
    parser.add_argument("--spent")
    asked = parser.parse_args()
    if (asked.file is None) == (asked.proof is None) or asked.row < 0 or (asked.spent and not asked.file):
        parser.error("a file, or --proof with one")
    spent = Spent() if asked.spent else None
    try:
        if asked.proof:
            with open(asked.proof, encoding="utf-8") as file:
                text = file.read()
                proof = json.loads(text[text.find("{") :])  # what it said of the ledger may stand before it
            check_proof(proof)
            say(f"OK: row {proof['number']} leads to the root {proof['root']}. 证明成立：这一行就在这个日根下面。")
            if proof["day"] == "open":
                say("Its day is not closed yet, and no ledger has this root. 这一天还没关账，账本里还没有这个日根。")
            else:
                say(f"A ledger that you trust has it for {proof['day']}. 请和可信的账本里 {proof['day']} 的日根对一对：")
                say(f"  python3 verify.py ledger.csv --expect {proof['day']}:{proof['root']}")
            return 0
        ledger = Ledger(asked.row, dict(asked.expect), keeps_rows=spent is not None)
        with open(asked.file, "rb") as file:
            ledger.read(followed(iter(file), os.fstat(file.fileno()).st_size))
        if spent:
            with open(asked.spent, "rb") as file:
                spent.read(iter(file))
            spent.check(ledger.rows or {}, ledger.last if not ledger.campaign else spent.until)
    except Wrong as wrong:
        say(f"WRONG 不对: {wrong}")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        say(f"WRONG 不对: cannot be read, 读不了: {error}")
        return 1
    if ledger.campaign:
        say(f"OK: {len(ledger.hashes)} rows of {ledger.campaign}, every code and balance fits. 这个项目的行都对，余额都对。")
        say("The daily roots stand in the whole ledger; --row asks that one. 日根在整本账里，--row 请用整本账。")
        for line in spent.report(asked.row) if spent else ():
            say(line)
        return 2 if asked.row and not spent else 0
    say(f"OK: {len(ledger.hashes)} rows, {len(ledger.roots)} daily roots, every link and every balance fits.")
    say(f"全对：{len(ledger.hashes)} 行首尾相扣，{len(ledger.roots)} 个日根，每一行余额都对。最后的链码 {ledger.previous}")
    for day, _first, _last, root in ledger.roots[-1:]:
        say(f"The last root is that of {day}, note it down: 最后一个日根，可以抄下：{day}:{root}")
    for line in spent.report(asked.row) if spent else ():
        say(line)
    if asked.row:
        say(json.dumps(ledger.proof(), ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
