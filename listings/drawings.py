"""Which drawing stands in for a photo that nobody has taken yet: the first crop of its category. Pure."""

from typing import Final

UNKNOWN: Final = "gift-box"
DRAWINGS: Final = {
    "grain-millet": "millet",
    "grain-buckwheat": "buckwheat",
    "grain-oat": "oat-rolls",
    "grain-bean": "beans",
    "grain-corn": "corn",
    "grain-flour": "flour-sack",
    "grain-mix": "quinoa",
    "fruit-apple": "apple",
    "fruit-pear": "pear",
    "fruit-stone": "peach",
    "fruit-berry": "crab-apple",
    "fruit-melon": "melon",
    "veg-root": "potato",
    "veg-fresh": "tomato-pepper",
    "veg-mushroom": "shiitake",
    "veg-dry": "wood-ear",
    "veg-starch": "starch-noodle",
    "nut-walnut": "walnut",
    "nut-jujube": "jujube",
    "nut-candied": "dried-fruit",
    "nut-seed": "seeds",
    "oil-plant": "flax-oil",
    "oil-vinegar": "vinegar",
    "oil-spice": "sichuan-pepper",
    "meat-lamb": "mutton",
    "meat-beef": "beef",
    "meat-poultry": "egg",
    "meat-cooked": "cooked-meat",
    "meat-dairy": "milk",
    "herb-root": "astragalus",
    "herb-tea": "tea",
    "honey-raw": "honey",
    "honey-prod": "honey",
    "drink-juice": "juice",
    "drink-wine": "jar",
    "snack-pastry": "mooncake",
    "snack-tofu": "tofu",
    "snack-noodle": "oat-rolls",
    "craft-paper": "paper-cut",
    "craft-textile": "textile",
    "craft-ware": "dough-figure",
    "gift-grain": "gift-box",
    "gift-mixed": "gift-box",
}


def drawing_of(category: str) -> str:
    """The kind of drawing for goods of this category."""
    return DRAWINGS.get(category, UNKNOWN)
