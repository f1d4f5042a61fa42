"""Places as they are written in an address."""


def within(city: str, province_zh: str) -> str:
    """What of `city` is to be written beside its province: of 北京市 海淀区, which lies in 北京市, only 海淀区."""
    if city.strip() in {province_zh, province_zh.removesuffix("市")}:
        return ""
    for name in (province_zh, f"{province_zh.removesuffix('市')} "):
        if city.startswith(name) and city.removeprefix(name).strip():
            return city.removeprefix(name).strip()
    return city
