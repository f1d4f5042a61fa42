"""What pages show of a platform's gifts and of its files; a fixed number of statements each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.mirrors.models import MirroredGift, MirrorFile, MirrorRow
from crowdfund.campaigns.mirrors.platforms import BY_CODE
from crowdfund.campaigns.mirrors.states import Verdict
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.paging import Page, cut
from marketplace.core.records import record

FILES_SHOWN: Final = 20
PAGE: Final = 50
GIFTS_SHOWN: Final = 5


@record
class Elsewhere:
    """What a campaign has got on its platform: never a part of what stands in our books."""

    platform: str
    url: str
    fen: int
    gifts: int
    latest_at: datetime | None  # the files tell of nothing after it


def of_row(row: Any) -> Elsewhere | None:
    """Of a row with these columns of its campaign and its total; None for one that is not mirrored."""
    if row.channel != "mirror":
        return None
    platform = BY_CODE.get(row.platform)
    name = in_language(platform.name_zh, platform.name_en) if platform else row.platform
    return Elsewhere(name, row.platform_url, int(row.mirrored_fen or 0), int(row.mirrored_gifts or 0), row.mirrored_at)


@record
class Given:
    """A gift on the platform."""

    at: datetime
    fen: int
    who: str


def latest(session: Session, campaign_id: int) -> list[Given]:
    """Those of which something stayed."""
    wanted = select(MirroredGift.given_at, MirroredGift.fen, MirroredGift.shown_as)
    wanted = wanted.where(MirroredGift.campaign_id == campaign_id, MirroredGift.fen > 0)
    newest = wanted.order_by(MirroredGift.given_at.desc(), MirroredGift.id.desc())
    return [Given(*row) for row in session.execute(newest.limit(GIFTS_SHOWN))]


def files(session: Session, campaign_id: int) -> Sequence[MirrorFile]:
    """The latest first."""
    mine = select(MirrorFile).where(MirrorFile.campaign_id == campaign_id)
    return session.scalars(mine.order_by(MirrorFile.id.desc()).limit(FILES_SHOWN)).all()


def find(session: Session, campaign_id: int, name: str) -> MirrorFile:
    """Raises NotFound."""
    mine = select(MirrorFile).where(MirrorFile.public_id == name, MirrorFile.campaign_id == campaign_id)
    found = session.scalar(mine)
    if found is None:
        raise NotFound(name)
    return found


@record
class Tally:
    """How many rows of a file say something new, something else, or cannot be read; what the new ones add."""

    new: int
    changed: int
    undecided: int
    refused: int
    fen: int


def tally(session: Session, file_id: int) -> Tally:
    is_open = func.sum(case((MirrorRow.decision == "", 1), else_=0))
    wanted = select(MirrorRow.verdict, func.count(), is_open, func.coalesce(func.sum(MirrorRow.fen), 0))
    rows: Mapping[str, tuple[int, int, int]] = {
        verdict: (int(count), int(undecided or 0), int(fen))
        for verdict, count, undecided, fen in session.execute(
            wanted.where(MirrorRow.file_id == file_id).group_by(MirrorRow.verdict)
        )
    }
    new, changed, refused = (rows.get(str(each), (0, 0, 0)) for each in Verdict)
    return Tally(new[0], changed[0], changed[1], refused[0], new[2])


def rows(session: Session, file_id: int, verdict: str, after: int) -> Page[MirrorRow]:
    """A page of the file's rows of one kind, in their order."""
    mine = select(MirrorRow).where(MirrorRow.file_id == file_id, MirrorRow.verdict == verdict, MirrorRow.number > after)
    found = session.scalars(mine.order_by(MirrorRow.number).limit(PAGE + 1)).all()
    return cut(found, PAGE, lambda row: str(row.number))
