"""The 58 counties and the station in each."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base


class County(Base):
    __tablename__ = "county"
    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    prefecture_code: Mapped[str] = mapped_column(index=True)
    prefecture_zh: Mapped[str]
    prefecture_en: Mapped[str]
    level: Mapped[str]  # national, provincial
    is_deep_poverty: Mapped[bool]
    contiguous_area: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]
    exit_year: Mapped[int]


class Station(Base):
    """The offline station of one county; its code is the county's."""

    __tablename__ = "station"
    __table_args__ = (CheckConstraint("daily_capacity > 0 AND free_shipping_from_fen >= 0", "station_figures"),)
    code: Mapped[str] = mapped_column(ForeignKey("county.code"), primary_key=True)
    name_zh: Mapped[str]  # 吉县站
    name_en: Mapped[str]
    address_zh: Mapped[str]
    address_en: Mapped[str]
    opening_hours_zh: Mapped[str]
    opening_hours_en: Mapped[str]
    phone: Mapped[str]
    head_zh: Mapped[str]  # the station head's name, as shown
    head_en: Mapped[str]
    introduction_zh: Mapped[str]
    introduction_en: Mapped[str]
    daily_capacity: Mapped[int]  # parcels
    free_shipping_from_fen: Mapped[int]
    is_demo: Mapped[bool] = mapped_column(default=False)


class Seller(Base):
    """Who sells, attached to the one station that has checked who they are."""

    __tablename__ = "seller"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), index=True)
    kind: Mapped[str]  # household, cooperative, returnee (came home to start a workshop)
    name_zh: Mapped[str]  # 细上村梨果合作社
    name_en: Mapped[str]
    village_zh: Mapped[str]
    since: Mapped[int]
    story_zh: Mapped[str]
    story_en: Mapped[str]
    is_demo: Mapped[bool] = mapped_column(default=False)
