"""Ledger files written by nothing of ours but the document: as large as a test wants them; and what verify.py says."""

import hashlib
import json

from crowdfund.campaigns import verify


def complaint(content: bytes) -> str:
    """What is wrong with this file; empty where everything fits."""
    try:
        verify.Ledger().read(iter(content.splitlines(keepends=True) if b"\r" not in content else split(content)))
    except verify.Wrong as wrong:
        return str(wrong)
    return ""


def split(content: bytes) -> list[bytes]:
    """As reading a binary file does: at newlines only."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]] + [rest for rest in [content.rpartition(b"\n")[2]] if rest]


def ledger(rows: int) -> bytes:
    """Gifts of one campaign, one a second, all on one closed day."""
    lines = [verify.HEAD.decode()]
    previous, balance = "0" * 64, 0
    for number in range(1, rows + 1):
        fen, second = number % 1000 + 1, number % 86400
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        balance += fen
        content = {"at": (1792108800 + second) * 10**6, "book": "test", "campaign": "C001", "commitment": "", "fen": fen}
        content |= {"kind": "gift", "reference": f"capture:{number:016x}", "what": "", "who": "小杏子"}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
        previous = hashlib.sha256(f"{previous}\n{number}\n{digest.hexdigest()}".encode()).hexdigest()
        at = f"2026-10-16T{clock}.000000Z"
        who = f'test,gift,C001,{fen},"小杏子","",,{content["reference"]}'
        lines.append(f"{number},{at},{who},{balance},{balance},{previous}")
    text = "".join(f"{line}\n" for line in lines).encode()
    return text + f"end,{rows},{hashlib.sha256(text).hexdigest()}\n".encode()
