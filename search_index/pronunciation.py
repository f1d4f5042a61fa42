"""How Chinese is read aloud and simplified. Heavy tables: for the indexing side alone, which writes down what it needs."""

from collections import defaultdict
from functools import cache

from search_index.text import letters

READ_OTHERWISE = {"繁峙": ("fan", "shi"), "糁": ("shen",), "朔": ("shuo",), "岢岚": ("ke", "lan"), "洪洞": ("hong", "tong")}


def syllables(word: str) -> tuple[str, ...]:
    """Pinyin without tones, one syllable a character, `ü` as `v`."""
    from pypinyin import lazy_pinyin

    for name, reading in READ_OTHERWISE.items():
        if name in word:
            before, after = word.split(name, 1)
            return (*syllables(before), *reading, *syllables(after))
    read = tuple(lazy_pinyin(word))
    if len(read) == len(word):
        return read
    return tuple(character for one in word for character in lazy_pinyin(one))  # a rare character took others with it


@cache
def readings() -> dict[str, str]:
    """The characters by how they may be read ("mi mie", the usual way first); rare ones too, since slips hit them."""
    from pypinyin.pinyin_dict import pinyin_dict

    characters: dict[str, str] = defaultdict(str)
    for number in range(0x4E00, 0xA000):
        ways = dict.fromkeys(map(letters, pinyin_dict.get(number, "").split(",")))
        characters[" ".join(filter(None, ways))] += chr(number)
    characters.pop("", None)
    return dict(characters)


@cache
def simplified() -> dict[str, str]:
    """Each traditional character with its simplified form, where they differ."""
    from opencc import OpenCC

    characters = "".join(map(chr, range(0x4E00, 0xA000)))
    converter = OpenCC("t2s")
    return {
        character: other
        for character in characters
        if (other := converter.convert(character)) != character and len(other) == 1
    }
