"""What a ZIP says of itself is looked at before anything of it is unpacked. Pure: the standard library only."""

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

NAMED_IN_UTF_8: Final = 0x800
ENCRYPTED: Final = 0x1
READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BadArchive(Exception):
    """`code` says what is wrong; the words for it are in wording.py."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """Members, bytes unpacked in all, bytes of one member, and how many times smaller it may be packed."""

    members: int
    unpacked: int
    largest: int
    ratio: int


WORKBOOK: Final = Limits(members=2_000, unpacked=200 * 2**20, largest=150 * 2**20, ratio=250)
PICTURES: Final = Limits(members=1_000, unpacked=300 * 2**20, largest=10 * 2**20, ratio=60)
SMALL: Final = 100_000  # bytes: of how often so little is repeated nothing follows


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
