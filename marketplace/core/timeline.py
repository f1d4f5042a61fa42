"""What templates/ui/timeline.html shows: the way of a thing, stop by stop."""

from marketplace.core.records import record


@record
class Stop:
    """One stop: behind us, where the thing is now, or still ahead."""

    state: str  # done, now, ahead
    title: str
    when: str = ""
    text: str = ""
    place: str = ""  # continues the text, in Chinese
    url: str = ""
    url_words: str = ""
    day: str = ""  # of `when`, for machines: 2026-10-18
