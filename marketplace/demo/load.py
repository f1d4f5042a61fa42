"""The whole demonstration, loaded in one transaction; again and again without harm."""

from sqlalchemy.orm import Session

from marketplace.demo import campaigns, editing, following, goods, people, places, pledges, presales
from marketplace.demo.tables import refuse_in_earnest


def load(session: Session) -> None:
    """Places, people, goods, campaigns and pledges that are not there yet; what is there stays as it is, edits included.

    Raises OnlyForDemonstrations."""
    refuse_in_earnest()
    places.load(session)
    people.load(session)
    goods.load(session)
    editing.load(session)
    following.load(session)
    campaigns.load(session)
    pledges.load(session)
    presales.load(session)


def greeting() -> str:
    """Who may sign in, for the person who started the demonstration."""
    staff = ("charity", "charity2", "bank", "nominator", "verifier", "children", "programme")
    names = {
        "buys": "buyer, buyer2, canteen (pays by the month)",
        "sell": "seller, seller2",
        "stations": "station.<county>, clerk.<county>   (58 of each: 141028 is Jixian, 140430 Qinxian)",
        "gifts": ", ".join(staff),
        "province": "operator, operator2, auditor",
    }
    lines = [f"  {where:<9} {who}" for where, who in names.items()]
    return f"Everybody signs in as <name>@{people.DOMAIN} with the password {people.PASSWORD}\n" + "\n".join(lines)
