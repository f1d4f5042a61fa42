"""What officers tell and readers say."""

import re
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length

from crowdfund.campaigns.news.queries import file_of
from crowdfund.campaigns.news.telling import Picture
from crowdfund.campaigns.telling import ANONYMITY
from listings.picture_sizes import WIDTHS
from marketplace.core.forms import KeyedForm, SelectChoice, dropped_beyond

MOST_PICTURES: Final = 4
KEPT: Final = re.compile(r"([0-9a-f]{16,128})-(\d{1,5})-(\d{1,5})")


class UpdateForm(KeyedForm):
    title = StringField(_l("Headline"), [InputRequired(), Length(max=60)])
    words = TextAreaField(_l("What has happened"), [InputRequired(), Length(max=2000)])
    is_harmless = BooleanField(_l("The pictures show no face and no child's name"))
    kept = HiddenField(validators=[Length(max=1000)], filters=[dropped_beyond(1000)])  # pictures of an earlier try

    def validate_is_harmless(self, field: BooleanField) -> None:
        if self.kept.data and not field.data:
            raise ValidationError(_("Look at the pictures once more, and say that nobody can be recognised in them."))

    @property
    def pictures(self) -> list[Picture]:
        """Of those that are really there."""
        found = [KEPT.fullmatch(part) for part in str(self.kept.data or "").split(",")]
        named = [(each[1], int(each[2]), int(each[3])) for each in found if each]
        return [each for each in named if file_of(each[0], max(WIDTHS)).is_file()][:MOST_PICTURES]

    def keep(self, made: list[dict[str, Any]]) -> None:
        new = [(str(each["digest"]), int(each["width"]), int(each["height"])) for each in made]
        self.kept.data = ",".join("-".join(map(str, each)) for each in [*self.pictures, *new][:MOST_PICTURES])


class CommentForm(KeyedForm):
    words = TextAreaField(_l("Your words"), [InputRequired(), Length(max=200)])
    anonymity = RadioField(
        _l("How you are called on its page"),
        choices=[SelectChoice(value, words) for value, words in ANONYMITY.items()],
        default="masked",
    )
