"""The folder of an export: files of JSON lines, and a manifest that says what each of them is, byte for byte."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from marketplace.core.records import record
from marketplace.core.sealing import canonical

MANIFEST: Final = "manifest.json"
FORMAT: Final = "pavilion-giving"
VERSION: Final = 1
LEDGER: Final = "ledger.jsonl"  # the same bytes as everybody can download
SEALS: Final = "seals.jsonl"  # of each row: the number of its record, and when it was sealed
ENTRIES: Final = "entries.jsonl"
CHUNK: Final = 1 << 20


class NotAnExport(Exception):
    """What cannot be read in, in words."""


@record
class File:
    """One file of the manifest."""

    name: str
    sha256: str
    lines: int


@record
class Manifest:
    """`sha256` is that of all the rest. `balances` are [kind, owner, book, commodity, amount], as the books have them."""

    sha256: str
    people: int
    files: tuple[File, ...]
    balances: tuple[tuple[str, str, str, str, int], ...]
    rows: int
    last_code: str


def line(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def write(folder: Path, name: str, lines: Iterable[bytes]) -> File:
    """Under another name until it is whole."""
    part, whole, count = folder / f"{name}.part", hashlib.sha256(), 0
    with part.open("wb") as file:
        for each in lines:
            file.write(each)
            whole.update(each)
            count += each.count(b"\n")
    part.replace(folder / name)
    return File(name, whole.hexdigest(), count)


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """The last of the files: what has none is no export."""
    content = {"format": FORMAT, "version": VERSION, **content}
    whole = content | {"sha256": hashlib.sha256(canonical(content)).hexdigest()}
    part = folder / f"{MANIFEST}.part"
    part.write_bytes(for_people(whole))
    part.replace(folder / MANIFEST)


def for_people(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def begin(folder: Path) -> None:
    """An empty folder, or one in which an export was interrupted. Raises NotAnExport for any other."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / MANIFEST).exists():
        raise NotAnExport(f"There is an export in {folder} already.")
    for each in folder.iterdir():
        if not each.name.removesuffix(".part").endswith((".jsonl", MANIFEST)):
            raise NotAnExport(f"{each} is no part of an export: take an empty folder.")
        each.unlink()


def read_manifest(folder: Path) -> Manifest:
    """Raises NotAnExport where there is none, where it was changed, or where another version wrote it."""
    try:
        raw = (folder / MANIFEST).read_bytes()
        content = json.loads(raw)
        is_as_written = for_people(content) == raw
        known = content.pop("sha256")
        if not is_as_written or content["format"] != FORMAT or hashlib.sha256(canonical(content)).hexdigest() != known:
            raise NotAnExport(f"{folder / MANIFEST} was changed.")
        if content["version"] != VERSION:
            raise NotAnExport(f"{folder / MANIFEST} is of version {content['version']}; this house reads version {VERSION}.")
        files = tuple(File(**each) for each in content["files"])
        balances = tuple((str(k), str(o), str(b), str(c), int(a)) for k, o, b, c, a in content["balances"])
        return Manifest(known, content["people"], files, balances, content["rows"], content["last_code"])
    except FileNotFoundError:
        raise NotAnExport(f"There is no {MANIFEST} in {folder}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotAnExport(f"{folder / MANIFEST} cannot be read: {error}") from None


def check(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Every byte of every file, before anything is read in; says which file it has looked at. Raises NotAnExport."""
    for file in manifest.files:
        whole, count = hashlib.sha256(), 0
        try:
            with (folder / file.name).open("rb") as content:
                while chunk := content.read(CHUNK):
                    whole.update(chunk)
                    count += chunk.count(b"\n")
        except FileNotFoundError:
            raise NotAnExport(f"{file.name} is not there.") from None
        if (whole.hexdigest(), count) != (file.sha256, file.lines):
            raise NotAnExport(f"{file.name} is not as it was written.")
        yield file.name


def lines_of(folder: Path, name: str, after: int) -> Iterator[bytes]:
    """Its lines from the one behind `after`."""
    with (folder / name).open("rb") as file:
        for number, each in enumerate(file, start=1):
            if number > after:
                yield each
