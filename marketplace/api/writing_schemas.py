"""What programs send and are answered when they order, pack or list goods, as types. Sums are whole fen, weights grams.

Bodies are strict: what no type names, and a number written as text, is refused."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from marketplace.api.schemas import Code, County, Face
from marketplace.orders.carts import MOST_LINES, MOST_OF_ONE
from marketplace.orders.promotions.choosing import LONGEST_CODE

CART: Final = "^[0-9a-f]{16}$"
ORDER: Final = "^SX-[2-9A-HJKMNP-TV-Z]{8}$"
PARCEL: Final = "^SX-[2-9A-HJKMNP-TV-Z]{8}-[1-9][0-9]{0,2}$"

Fen = Annotated[int, Field(ge=0, le=10**12)]
Line = Annotated[str, Field(max_length=200)]
Month = Annotated[int, Field(ge=1, le=12)]
Cart = Annotated[str, Field(pattern=CART, description="as POST /carts named it")]
Pickup = Annotated[
    list[County],
    Field(max_length=60, description="the stations whose parcel is fetched there; all the others come by courier"),
]


Coupon = Annotated[str, Field(max_length=LONGEST_CODE, description="a code that takes something off")]


class Body(Face):
    """Something that was sent."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class WantedLine(Body):
    """So many of a pack, such as `P0001-1`."""

    sku: Code
    quantity: Annotated[int, Field(ge=1, le=MOST_OF_ONE)]


Lines = Annotated[list[WantedLine], Field(min_length=1, max_length=MOST_LINES)]


class NewCart(Body):
    """A cart beside the one that the person shops with. With a province it says what sending costs."""

    lines: Lines
    province: County | None = None
    pickup: Pickup = Field(default_factory=list)
    coupon: Coupon = ""


class CartQuery(Face):
    model_config = ConfigDict(extra="ignore", defer_build=True)

    province: Annotated[str, Field(pattern=r"^([0-9]{6})?$", description="six-digit code of where it is sent")] = ""
    pickup: list[County] = Field(default_factory=list)
    coupon: Coupon = ""


class RecipientBody(Body):
    """To whom and where. The phone is a mobile number of eleven digits, the province a six-digit code."""

    name: Line
    phone: Line
    province: County
    city: Line
    street: Line


class NewOrder(Body):
    """Of a cart, or of lines: one of the two. `total_fen` is what the buyer agrees to pay; another sum is refused."""

    cart: Cart | None = None
    lines: Lines | None = None
    recipient: RecipientBody
    pickup: Pickup = Field(default_factory=list)
    total_fen: Fen
    is_adult: Annotated[bool, Field(description="needed where there is alcohol in it")] = False
    note: Line = ""
    coupon: Coupon = ""
    on_account: Annotated[bool, Field(description="on account of the institution that its person acts for")] = False


StepName = Literal[
    "acceptance",
    "collection",
    "packing",
    "dispatch",
    "shelving",
    "pickup",
    "delivery",
    "no-show",
    "second-shelving",
    "refusal",
    "return",
    "loss",
]


class NewStep(Body):
    """What a station did with a parcel.

    `packing` needs a shelf, `dispatch` carrier and tracking number, `pickup` the buyer's code, `refusal` and `loss` a
    reason; the other steps need nothing else."""

    step: StepName
    shelf: Line | None = None
    carrier: Line | None = None
    tracking_number: Line | None = None
    code: Line | None = None
    reason: Line | None = None


class NewTier(Body):
    """From so many packs on, each costs less."""

    from_quantity: Annotated[int, Field(ge=2, le=10_000)]
    price_fen: Annotated[int, Field(ge=1, le=10_000_000)]


class NewListing(Body):
    """A draft with one pack; `submit` sends it to the station at once. The weight is needed where the unit names none."""

    category: Code
    title: Line
    unit: Line
    price_fen: Annotated[int, Field(ge=1, le=10_000_000)]
    stock: Annotated[int, Field(ge=0, le=1_000_000)]
    village: Line
    story: Annotated[str, Field(max_length=4000)]
    harvest_months: Annotated[list[Month], Field(max_length=12)] = Field(default_factory=list)
    net_weight_g: Annotated[int, Field(ge=1, le=100_000)] | None = None
    tier: NewTier | None = None
    shelf_life_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    storage: Line = ""
    submit: bool = False


class CartLine(Face):
    """`trouble` says why it cannot be ordered as it stands: gone, sold_out, too_few_left, below_minimum."""

    sku: str
    title: str
    unit: str
    quantity: int
    unit_price_fen: int
    sum_fen: int
    trouble: str | None


class CartParcel(Face):
    """One station's part; without a province sending has no price yet, and nobody knows the day."""

    station: str
    delivery: Literal["courier", "pickup"]
    goods_fen: int
    shipping_fen: int | None
    promised_by: date | None
    lines: list[CartLine]


class CartAnswer(Face):
    """`total_fen` is what POST /orders wants to hear; null while the province is not known or something is in trouble."""

    cart: str
    goods_fen: int
    shipping_fen: int | None
    discount_fen: int
    total_fen: int | None
    parcels: list[CartParcel]


class OrderedLine(Face):
    """`replaced_quantity`: so many did not come, and something else is offered or sent instead."""

    sku: str
    listing: str
    title: str
    quantity: int
    refunded_quantity: int
    replaced_quantity: int
    unit_price_fen: int


class InsteadLine(Face):
    """Packs that the buyer has agreed to get instead of as many of `ordered_sku`."""

    sku: str
    ordered_sku: str
    title: str
    unit: str
    quantity: int
    unit_price_fen: int


class OrderParcel(Face):
    """One station's part of an order; `number` stands on its label.

    What goes into it: of each line the quantity less what is refunded and replaced, and what `instead` names."""

    number: str
    station: str
    state: str
    delivery: str
    goods_fen: int
    shipping_fen: int
    discount_fen: int
    promised_by: date
    carrier: str
    tracking_number: str
    lines: list[OrderedLine]
    instead: list[InsteadLine]


class OrderAnswer(Face):
    number: str
    state: str
    goods_fen: int
    shipping_fen: int
    discount_fen: int
    total_fen: int
    currency: str
    is_test: bool
    placed_at: datetime
    pay_by: datetime
    paid_at: datetime | None
    parcels: list[OrderParcel]
    url: str


class PaymentAnswer(Face):
    """A person opens `url` and pays there; `state` is that of the attempt."""

    order: str
    state: str
    total_fen: int
    currency: str
    is_test: bool
    pay_by: datetime
    url: str


class RecipientAnswer(Face):
    name: str
    phone: str
    province: str
    city: str
    street: str
    note: str


class ParcelAnswer(OrderParcel):
    """As its station sees it. `next_step` is the one it can take next; the recipient is there for `parcels:write` alone."""

    order: str
    shelf: str
    next_step: str | None
    recipient: RecipientAnswer | None


class OwnListingAnswer(Face):
    """A seller's own, whether or not everybody sees it; `reason` is what the station wrote when it sent it back."""

    sku: str
    state: str
    reason: str
    url: str
