"""What a seller or the province writes down of a new promotion."""

import re
from datetime import timedelta
from typing import Any, Final, Self

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from listings.forms import YuanField
from marketplace.core import clock
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice
from marketplace.orders.promotions.choosing import LONGEST_CODE
from marketplace.orders.promotions.making import CodeIsTaken, NotThere, Terms
from marketplace.orders.promotions.models import MOST_PERCENT, WHOLE_BPS, Promotion
from marketplace.orders.promotions.states import Kind, Scope
from marketplace.orders.promotions.telling import KINDS, SCOPES

DAY: Final = _l("Please write a day like this: 2026-10-09.")
MOST_USES: Final = 1_000_000
LONGEST: Final = timedelta(days=366)


class PromotionForm(KeyedForm):
    """A seller's: their own goods, theirs to bear."""

    name = StringField(
        _l("Name of the promotion"), [Needed(_l("Enter what buyers read, such as “Autumn apples”.")), Length(max=30)]
    )
    name_en = StringField(_l("Its name in English"), [Optional(), Length(max=60)])
    code = StringField(
        _l("Coupon code"),
        [
            Optional(),
            Length(min=4, max=LONGEST_CODE),
            Regexp(r"^[A-Za-z0-9]+$", message=_l("A code is made of letters and digits only.")),
        ],
    )
    kind = SelectField(
        _l("What it takes off"), choices=[SelectChoice(kind.value, KINDS[kind]) for kind in (Kind.AMOUNT, Kind.PERCENT)]
    )
    amount = YuanField(_l("Sum off, yuan"), [Optional()])
    percent = IntegerField(_l("Per cent off"), [Optional(), NumberRange(1, MOST_PERCENT)])
    most = YuanField(_l("At most off one order, yuan"), [Optional()])
    threshold = YuanField(_l("From so much of these goods on, yuan"), [Optional()])
    listings = TextAreaField(_l("Numbers of the goods"), [Optional(), Length(max=2000)])
    first_day = DateField(_l("First day"), [InputRequired(DAY)])
    last_day = DateField(_l("Last day"), [InputRequired(DAY)])
    budget = YuanField(_l("It may cost in all, yuan"), [Needed(_l("Enter what it may cost in all."))])
    uses_most = IntegerField(_l("Number of orders"), [Optional(), NumberRange(1, MOST_USES)])
    uses_each = IntegerField(_l("Orders of one buyer"), [Optional(), NumberRange(1, 1000)], default=1)

    def validate(self, extra_validators: Any = None) -> bool:
        """What its kind needs."""
        is_valid = super().validate(extra_validators)
        wanted = {Kind.AMOUNT.value: (self.amount, self.amount.fen), Kind.PERCENT.value: (self.percent, self.percent.data)}
        field, entered = wanted.get(str(self.kind.data), (None, None))
        if field is not None and not entered and not field.errors:
            field.errors = [_("Enter how much comes off.")]
            is_valid = False
        return is_valid

    def validate_last_day(self, field: DateField) -> None:
        if field.data is None or self.first_day.data is None:
            return
        if field.data < self.first_day.data:
            raise ValidationError(_("The last day comes before the first."))
        if field.data < clock.today():
            raise ValidationError(_("This day is over."))
        if field.data - self.first_day.data > LONGEST:
            raise ValidationError(_("A promotion lasts a year at most."))

    @property
    def scope(self) -> tuple[Scope, list[str]]:
        """Of a seller's own goods all, or those that are named."""
        codes = names_in(self.listings.data)
        return (Scope.LISTINGS, codes) if codes else (Scope.ALL, [])

    @property
    def platform_bps(self) -> int:
        return 0

    def refused(self, refusal: CodeIsTaken | NotThere) -> Self:
        """With what is wrong said by its field."""
        field = self.code if isinstance(refusal, CodeIsTaken) else self.listings
        field.errors = [refusal.message]
        return self

    @property
    def terms(self) -> Terms:
        """Of a valid form."""
        kind = Kind(self.kind.data)
        scope, values = self.scope
        if self.first_day.data is None or self.last_day.data is None:
            raise ValueError("not validated")
        return Terms(
            name_zh=str(self.name.data),
            name_en=str(self.name_en.data or ""),
            code=str(self.code.data or ""),
            kind=kind,
            budget_fen=self.budget.fen or 0,
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            amount_fen=self.amount.fen or 0 if kind is Kind.AMOUNT else 0,
            percent=self.percent.data or 0 if kind is Kind.PERCENT else 0,
            most_fen=self.most.fen if kind is Kind.PERCENT else None,
            threshold_fen=self.threshold.fen or 0,
            scope=scope,
            scope_values=values,
            uses_most=self.uses_most.data,
            uses_each=self.uses_each.data,
            platform_bps=self.platform_bps,
        )


class ProvincePromotionForm(PromotionForm):
    """The province's: of any goods, borne as it says."""

    kind = SelectField(_l("What it takes off"), choices=[SelectChoice(kind.value, words) for kind, words in KINDS.items()])
    where = SelectField(_l("Of which goods"), choices=[SelectChoice(scope.value, words) for scope, words in SCOPES.items()])
    listings = TextAreaField(_l("Numbers of stations, sellers, categories or goods"), [Length(max=2000)])
    platform_percent = IntegerField(
        _l("The province bears, per cent"),
        [InputRequired(_l("Enter a number from 0 to 100.")), NumberRange(0, 100)],
        default=100,
    )

    def validate_platform_percent(self, field: IntegerField) -> None:
        if self.kind.data == Kind.FREE_SHIPPING and field.data != WHOLE_BPS // 100:
            raise ValidationError(_("Free shipping is borne by the province alone: a parcel has goods of several growers."))

    def validate_listings(self, field: TextAreaField) -> None:
        if self.where.data != Scope.ALL and not names_in(field.data):
            raise ValidationError(_("Name them, with a comma or a new line between."))

    @property
    def scope(self) -> tuple[Scope, list[str]]:
        found = Scope(self.where.data)
        return found, [] if found is Scope.ALL else names_in(self.listings.data)

    @property
    def platform_bps(self) -> int:
        return int(self.platform_percent.data or 0) * 100


def as_typed(kind: type[PromotionForm], row: Promotion) -> PromotionForm:
    """The form of a promotion that is there, as somebody typed it."""
    data: dict[str, Any] = {name: getattr(row, name) or None for name in ("name_en", "code", "percent", "uses_most")}
    data |= {"name": row.name_zh, "kind": row.kind.value, "uses_each": row.uses_each, "where": row.scope.value}
    data |= {"listings": "\n".join(row.scope_values), "platform_percent": row.platform_bps // 100}
    last = clock.local(row.ends_at).date() - timedelta(days=1)
    form = kind(data=data | {"first_day": clock.local(row.starts_at).date(), "last_day": last})
    sums = {"amount": row.amount_fen, "most": row.most_fen, "threshold": row.threshold_fen, "budget": row.budget_fen}
    for name, fen in sums.items():
        field: Any = form[name]
        field.show(fen or None)
    return form


class SentBackForm(Form):
    why = StringField(_l("Reason"), [Needed(_l("Write down why.")), Length(max=200)])


def names_in(typed: str | None) -> list[str]:
    """Codes, whatever stands between them."""
    return [name for name in re.split(r"[\s,;，；、]+", typed or "") if name]
