"""The year on the cover: what comes down, comes up or is opened in which month, and where. Words and a place; no figures."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from marketplace.core.records import record


@record
class Season:
    """A headline of two lines, and the goods it speaks of."""

    when: LazyString
    what: LazyString
    county: str
    category: str


SEASONS: Final[dict[int, Season]] = {
    1: Season(_l("In the depth of winter,"), _l("Wenxi's lotus root is crisp"), "140823", "veg-root"),
    2: Season(_l("Before the first rain,"), _l("Wenxi still digs lotus root"), "140823", "veg-root"),
    3: Season(_l("Forsythia is in flower,"), _l("Anze has its first honey"), "141026", "honey-raw"),
    4: Season(_l("Around Grain Rain,"), _l("Xiaxian's small melons are ripe"), "140828", "fruit-melon"),
    5: Season(_l("Summer has begun,"), _l("Xiaxian's cherries are red"), "140828", "fruit-stone"),
    6: Season(_l("When wheat is cut,"), _l("Yanggao's apricots turn yellow"), "140221", "fruit-stone"),
    7: Season(_l("In the summer heat,"), _l("Huguan's tomatoes are ripe to the heart"), "140427", "veg-fresh"),
    8: Season(_l("After the start of autumn,"), _l("Pinglu's peaches are sweetest"), "140829", "fruit-stone"),
    9: Season(_l("Around the equinox,"), _l("Xixian's pears come down"), "141031", "fruit-pear"),
    10: Season(_l("Before the frost,"), _l("Jixian's apples come down"), "141028", "fruit-apple"),
    11: Season(_l("After the start of winter,"), _l("Pinglu's apples are honeyed to the core"), "140829", "fruit-apple"),
    12: Season(_l("In the first snow,"), _l("Jiaocheng opens its jars of wine jujubes"), "141122", "nut-jujube"),
}
