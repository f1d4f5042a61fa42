"""What a ZIP says of itself is looked at before anything of it is unpacked. Pure: the standard library only."""

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Final

from marketplace.core.records import record

NAMED_IN_UTF_8: Final = 0x800
ENCRYPTED: Final = 0x1
FARTHEST_END: Final = 70_000  # bytes from the end in which the end of the table of contents lies: a comment has 65,535
LONGEST_MEMBER: Final = 600  # bytes of a line in it, with a long name
READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BadArchive(Exception):
    """`code` says what is wrong; the words for it are in wording.py."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@record
class Limits:
    """Members, bytes unpacked in all, bytes of one member, and how many times smaller it may be packed."""

    members: int
    unpacked: int
    largest: int
    ratio: int


WORKBOOK: Final = Limits(members=2_000, unpacked=200 * 2**20, largest=150 * 2**20, ratio=250)
PICTURES: Final = Limits(members=1_000, unpacked=300 * 2**20, largest=10 * 2**20, ratio=60)
BROKEN: Final = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError)  # what opening one may raise
SMALL: Final = 100_000  # bytes: of how often so little is repeated nothing follows


def look_at_directory(file: IO[bytes], limits: Limits) -> None:
    """Its table of contents is read whole when a ZIP is opened: too long a one is refused before. Raises BadArchive."""
    file.seek(0, io.SEEK_END)
    length = file.tell()
    file.seek(max(0, length - FARTHEST_END))
    end = file.read()
    marks = ((b"PK\x05\x06", 12, 4), (b"PK\x06\x06", 40, 8))  # the usual end, and the one of long archives
    for mark, offset, width in marks:
        place = end.rfind(mark)
        size = int.from_bytes(end[place + offset : place + offset + width], "little") if place >= 0 else 0
        if limits.members * LONGEST_MEMBER < size < length:
            raise BadArchive("zip_members")
    file.seek(0)


def check(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Raises BadArchive for what is too much, hidden or leads out of its folder."""
    members = archive.infolist()
    if len(members) > limits.members:
        raise BadArchive("zip_members")
    if sum(member.file_size for member in members) > limits.unpacked:
        raise BadArchive("zip_unpacked")
    for member in members:
        if member.flag_bits & ENCRYPTED or member.compress_type not in READABLE:
            raise BadArchive("zip_locked")
        if leads_out(name_of(member)) or stat.S_ISLNK(member.external_attr >> 16):
            raise BadArchive("zip_names")
        if member.file_size > limits.largest:
            raise BadArchive("zip_large_member")
        if member.file_size > SMALL and member.file_size > limits.ratio * max(member.compress_size, 1):
            raise BadArchive("zip_ratio")


def name_of(member: zipfile.ZipInfo) -> str:
    """Chinese Windows writes names in GBK without saying so; the library then takes them for those of MS-DOS."""
    if member.flag_bits & NAMED_IN_UTF_8:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def leads_out(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/"))
    return parts.is_absolute() or ".." in parts.parts or ":" in (parts.parts or ("",))[0] or "\0" in name


def pictures(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """(name in small letters without its folder, member); what programs put beside pictures by themselves is left out."""
    for member in archive.infolist():
        path = PurePosixPath(name_of(member).replace("\\", "/"))
        if not member.is_dir() and "__MACOSX" not in path.parts and not path.name.startswith("."):
            yield path.name.lower(), member
