"""The counts beside the filters, by the database alone: for pages and programs while there is no index."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from listings.conditions import FLAG_CONDITIONS, conditions
from listings.finding import FLAGS, Question
from listings.models import Category, Listing
from marketplace.stations.models import County
from search_index import Facet, Facets


def facets(session: Session, question: Question, today: date) -> Facets:
    """Like the index counts, each filter without itself: four statements. Seasons and prices are left to the index."""
    counties = counted(session, Listing.station_code, conditions(replace(question, counties=()), today))
    categories = counted(session, Listing.category_code, conditions(replace(question, categories=()), today))
    names = {row.code: row for row in session.execute(select(Category.code, Category.parent_code, *named(Category)))}
    for code, count in list(categories.items()):
        parent = names[code].parent_code
        while parent:
            categories[parent] += count
            parent = names[parent].parent_code
    of_counties = select(County.code, *named(County)).where(County.code.in_(counties))
    return Facets(
        counties=arranged(counties, {row.code: row for row in session.execute(of_counties)}),
        categories=arranged(categories, names),
        flags=flags(session, question, today),
    )


def named(kind: Any) -> tuple[Any, Any]:
    return kind.name_zh, kind.name_en


def counted(session: Session, column: Any, which: list[ColumnElement[bool]]) -> Counter[str]:
    counts = session.execute(select(column, func.count()).select_from(Listing).where(*which).group_by(column))
    return Counter(dict(tuple(row) for row in counts))


def arranged(counts: Mapping[str, int], names: Mapping[str, Any]) -> tuple[Facet, ...]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Facet(code, names[code].name_zh, names[code].name_en, count) for code, count in ranked)


def flags(session: Session, question: Question, today: date) -> dict[str, int]:
    """One statement: among the goods under all other filters, how many each flag holds for."""
    sums = []
    for flag, condition in FLAG_CONDITIONS.items():
        others = [FLAG_CONDITIONS[other](today) for other in sorted(question.flags - {flag})]
        holds = condition(today)
        for other in others:
            holds = holds & other
        sums.append(func.coalesce(func.sum(case((holds, 1), else_=0)), 0).label(flag))
    row = session.execute(select(*sums).select_from(Listing).where(*conditions(replace(question, flags=frozenset()), today)))
    return {FLAGS[flag]: int(count) for flag, count in row.mappings().one().items()}
