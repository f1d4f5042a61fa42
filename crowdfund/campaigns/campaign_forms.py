"""What officers enter of a campaign: a draft, its filing, a reason."""

import re
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.fields import AmountField, GoalField, check_year
from crowdfund.campaigns.mirrors.platforms import LONGEST_URL, PLATFORMS, is_address_of
from crowdfund.campaigns.telling import CHANNELS
from marketplace.core.forms import Form, KeyedForm, SelectChoice

BUDGET_LINE: Final = re.compile(r"(?P<name>.*?\S)[\s:：,，]+(?<!\d[,，])(?P<sum>\d+(,\d{3})*(\.\d{1,2})?)\s*元?")


class CampaignForm(KeyedForm):
    """A draft: only what the database needs is required; what a reviewer needs is asked for when it is handed in."""

    organisation = SelectField(_l("Organisation"), [InputRequired()], choices=[])  # asked of who works for several
    kind = SelectField(
        _l("Kind"),
        [InputRequired()],
        choices=[SelectChoice("donation", _l("Small gifts")), SelectChoice("student_aid", _l("Student aid"))],
    )
    channel = SelectField(
        _l("Where it raises money"),
        [DataRequired()],
        choices=[SelectChoice(value, words) for value, words in CHANNELS.items()],
        default="own_site",
    )
    platform = SelectField(
        _l("Platform"),
        [Optional()],
        choices=[SelectChoice("", _l("none")), *(SelectChoice(each.code, each.name_zh) for each in PLATFORMS)],
        default="",
    )
    platform_url = StringField(_l("Its page on the platform"), [Optional(), Length(max=LONGEST_URL)])
    title_zh = StringField(_l("Title"), [InputRequired(), Length(max=60)])
    title_en = StringField(_l("Title in English"), [Optional(), Length(max=120)])
    station_code = SelectField(_l("Station in charge"), [InputRequired()])
    story_zh = TextAreaField(_l("Story"), [Optional(), Length(max=4000)])
    purpose_zh = StringField(_l("Purpose, in one sentence"), [Optional(), Length(max=200)])
    beneficiaries_zh = StringField(_l("Who benefits"), [Optional(), Length(max=200)])
    criteria_zh = StringField(_l("How beneficiaries are chosen"), [Optional(), Length(max=200)])
    region_zh = StringField(_l("Region"), [Optional(), Length(max=60)])
    leader_zh = StringField(_l("Person responsible"), [Optional(), Length(max=40)])
    bank_account_zh = StringField(_l("Account, as it is published"), [Optional(), Length(max=100)])
    goal = GoalField(_l("Goal, yuan"), [InputRequired()])
    budget = TextAreaField(_l("Budget"), [Optional(), Length(max=2000)])
    starts_on = DateField(_l("First day"), [InputRequired(), check_year])
    ends_on = DateField(_l("Last day"), [InputRequired(), check_year])
    past_goal = SelectField(
        _l("When the goal is reached"),
        [InputRequired()],
        choices=[
            SelectChoice("stop", _l("take no more gifts")),
            SelectChoice("stretch", _l("continue for the same purpose")),
            SelectChoice("next_project", _l("continue for the next project")),
        ],
    )
    next_project_zh = StringField(_l("The next project"), [Optional(), Length(max=100)])
    residue_zh = StringField(_l("What happens to leftover money"), [Optional(), Length(max=200)])
    unit = AmountField(_l("Price of one piece, yuan"), [Optional()])
    unit_zh = StringField(_l("What one piece is called"), [Optional(), Length(max=20)])
    milestones = TextAreaField(_l("Promised steps, one per line"), [Optional(), Length(max=1000)])

    def with_stations(self, stations: list[tuple[str, str]]) -> "CampaignForm":
        self.station_code.choices = [SelectChoice(code, name) for code, name in stations]
        return self

    def of(self, organisations: list[tuple[str, str]]) -> "CampaignForm":
        """Whose campaign it may become; who works for one is not asked."""
        self.organisation.choices = [SelectChoice(code, name) for code, name in organisations]
        if len(organisations) < 2:
            del self.organisation
        return self

    def validate_ends_on(self, field: DateField) -> None:
        if self.starts_on.data and field.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day is before the first."))

    def validate_budget(self, field: TextAreaField) -> None:
        for line in lines_of(field.data):
            if BUDGET_LINE.fullmatch(line) is None:
                raise ValidationError(
                    _("“%(line)s” is not a budget line. Write a name and an amount in yuan.", line=line[:40])
                )

    def validate_unit_zh(self, field: StringField) -> None:
        if self.unit.fen and not field.data:
            raise ValidationError(_("Name the piece."))

    def validate_platform_url(self, field: StringField) -> None:
        if field.data and not is_address_of(str(self.platform.data), field.data):
            raise ValidationError(_("This is no page of the chosen platform. Its address begins with https://."))

    @property
    def facts(self) -> dict[str, Any]:
        """The columns of a campaign."""
        plain = (
            *("kind", "title_zh", "title_en", "station_code", "story_zh", "purpose_zh", "beneficiaries_zh", "criteria_zh"),
            *("region_zh", "leader_zh", "bank_account_zh", "starts_on", "ends_on", "past_goal", "next_project_zh"),
            *("residue_zh", "unit_zh", "channel", "platform", "platform_url"),
        )
        columns = {name: self[name].data if self[name].data is not None else "" for name in plain}
        steps = lines_of(self.milestones.data)
        return columns | {"goal_fen": self.goal.fen, "unit_fen": self.unit.fen, "milestones_zh": steps}

    @property
    def budget_lines(self) -> list[Line]:
        found = [BUDGET_LINE.fullmatch(line) for line in lines_of(self.budget.data)]
        return [Line(each["name"].strip(), sum_of(each["sum"])) for each in found if each]


def lines_of(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def sum_of(text: str) -> int:
    return int(Decimal(text.replace(",", "")) * 100)


class FilingForm(Form):
    number = StringField(_l("Filing number"), [InputRequired(), Length(max=40)])
    filed_on = DateField(_l("Filed on"), [InputRequired(), check_year])


class ReasonForm(Form):
    why = StringField(_l("Why"), [Optional(), Length(max=200)])
