"""What came of each pack, as a station enters it, and what sellers say beforehand."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from marketplace.core.formats import in_language, yuan
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice, dropped_beyond
from marketplace.orders import weights
from marketplace.orders.forms import WholeNumberField
from marketplace.orders.receiving import forecasting
from marketplace.orders.receiving.models import Forecast, Rest
from marketplace.orders.receiving.owed import Delivery
from marketplace.orders.receiving.planning import Count
from marketplace.orders.receiving.sharing import is_a_slip
from marketplace.orders.receiving.substituting import Candidate

MOST: Final = 100_000
RESTS: Final = (
    (Rest.LATER, _l("The rest comes later")),
    (Rest.REFUND, _l("The rest will not come: refund it")),
    (Rest.SUBSTITUTE, _l("The rest will not come: offer something else")),
)


class WeighedForm(Form):
    """Numbers of packs, and weights in the unit that the page had: people count in jin, English pages in kilograms."""

    unit = HiddenField(filters=[dropped_beyond(4)])

    def typed(self, kind: str, pack: str) -> Any:
        return self[f"{kind}-{pack}"].data

    def grams(self, pack: str) -> int | None:
        """None where nothing was weighed."""
        text = self.typed("weight", pack) if f"weight-{pack}" in self else ""
        return weights.to_grams(text, self.unit.data)


class ArrivalForm(KeyedForm, WeighedForm):
    seen = HiddenField(filters=[dropped_beyond(16)])
    agreed = HiddenField(filters=[dropped_beyond(15)])  # what the page said would go back, in fen

    @property
    def agreed_fen(self) -> int:
        """-1 for rubbish, which is never what goes back."""
        text = str(self.agreed.data or "")
        return int(text) if text.isascii() and text.isdigit() else -1

    def counts(self, delivery: Delivery) -> dict[str, Count]:
        """By the packs' codes. Call it once the form is valid."""
        return {pack.code: self.count(pack.code) for pack in delivery.packs}

    def count(self, pack: str) -> Count:
        came, damaged = int(self.typed("came", pack)), int(self.typed("damaged", pack) or 0)
        rest = Rest(self.typed("rest", pack))
        instead = self.typed("instead", pack) if rest is Rest.SUBSTITUTE else None
        return Count(came, damaged, self.grams(pack), rest, instead or None)

    def check_against(self, delivery: Delivery) -> bool:
        """What no single field can tell."""
        for pack in delivery.packs:
            count = self.count(pack.code)
            if count.good < 0:
                self[f"damaged-{pack.code}"].errors = [_("No more can be spoilt than came.")]
            if count.grams is not None and is_a_slip(count.grams, promised_grams=pack.grams * count.good):
                self[f"weight-{pack.code}"].errors = [
                    _("That is less than half of what was promised. Please weigh it again.")
                ]
            if count.rest is Rest.SUBSTITUTE and not count.instead:
                self[f"instead-{pack.code}"].errors = [_("Choose what is offered instead.")]
        return not self.errors


class ForecastForm(WeighedForm):
    """What a seller can bring of each pack; `seen` is the mark of what was ordered then."""

    seen = HiddenField(filters=[dropped_beyond(16)])


def weight_field(grams: int | None) -> StringField:
    words = weights.worded(jin=_l("Real weight of all good ones, jin"), kilograms=_l("Real weight of all good ones, kg"))
    return StringField(words, [Optional(), Length(max=10), weights.check_weight], default=weights.in_unit(grams))


def number_field(words: Any, *, default: int, most: int = MOST) -> WholeNumberField:
    between = NumberRange(0, most, message=_l("Between 0 and %(number)s.", number=most))
    return WholeNumberField(words, [Needed(_l("Enter a number; 0 for none.")), between], default=default)


def arrival_form(
    delivery: Delivery, sent: Any, forecasts: Mapping[str, Forecast], instead: Mapping[str, Candidate]
) -> ArrivalForm:
    """The form for this delivery, as the seller has foretold it; `sent` is what came in, `instead` what may be offered."""
    others = [SelectChoice("", _l("Choose")), *(SelectChoice(code, words_of(each)) for code, each in instead.items())]
    fields: dict[str, Any] = {}
    for pack in delivery.packs:
        said = forecasts.get(pack.code)
        packs = forecasting.expected(said, pack)
        fields[f"came-{pack.code}"] = number_field(_l("Came"), default=packs)
        fields[f"damaged-{pack.code}"] = number_field(_l("Of them spoilt"), default=0)
        if pack.grams:
            fields[f"weight-{pack.code}"] = weight_field(said.grams if said else None)
        rest = Rest.REFUND if packs < pack.wanted else Rest.LATER
        choices = [SelectChoice(value.value, words) for value, words in RESTS if instead or value is not Rest.SUBSTITUTE]
        if instead:
            fields[f"instead-{pack.code}"] = SelectField(_l("Instead"), [Optional()], choices=others, default="")
        fields[f"rest-{pack.code}"] = RadioField(_l("If not all of it came"), choices=choices, default=rest.value)
    form: ArrivalForm = type("ArrivalFormOfDelivery", (ArrivalForm,), fields)(sent)
    if sent is None:
        form.seen.data, form.unit.data = delivery.mark, weights.unit()
    return form


def words_of(each: Candidate) -> str:
    """A pack that may be offered, with its price and how many there are."""
    title, unit_ = in_language(each.title_zh, each.title_en), in_language(each.unit_zh, each.unit_en)
    return f"{title} {unit_} {yuan(each.price_fen)} × {each.available}"


def forecast_form(delivery: Delivery | None, sent: Any, forecasts: Mapping[str, Forecast]) -> ForecastForm:
    """The form for everything that a seller owes, as they have foretold it; `sent` is what came in."""
    fields: dict[str, Any] = {}
    for pack in delivery.packs if delivery else ():
        said = forecasts.get(pack.code)
        title = in_language(pack.first.title_zh, pack.first.title_en)
        words = _l("%(title)s: I can bring", title=title)
        packs = forecasting.expected(said, pack)
        fields[f"packs-{pack.code}"] = number_field(words, default=packs, most=pack.wanted)
        if pack.grams:
            fields[f"weight-{pack.code}"] = weight_field(said.grams if said else None)
    form: ForecastForm = type("ForecastFormOfSeller", (ForecastForm,), fields)(sent)
    if sent is None and delivery:
        form.seen.data, form.unit.data = delivery.mark, weights.unit()
    return form
