"""The platforms that the Ministry of Civil Affairs has designated for raising money in public, as far as we lead to them.

A mirrored campaign's link goes to one of them and nowhere else: our pages lend nobody else the trust of a charity. Pure."""

from typing import Final
from urllib.parse import urlsplit

from marketplace.core.records import record

LONGEST_URL: Final = 300


@record
class Platform:
    code: str
    name_zh: str
    name_en: str
    host: str  # its pages are there, or below


PLATFORMS: Final = (
    Platform("tencent", "腾讯公益", "Tencent Charity", "gongyi.qq.com"),
    Platform("alipay", "支付宝公益", "Alipay Charity", "love.alipay.com"),
    Platform("weibo", "微公益", "Weibo Charity", "gongyi.weibo.com"),
    Platform("jd", "京东公益", "JD Charity", "gongyi.jd.com"),
    Platform("meituan", "美团公益", "Meituan Charity", "gongyi.meituan.com"),
    Platform("lianquan", "联劝公益", "Lianquan", "lianquan.org.cn"),
)
BY_CODE: Final = {platform.code: platform for platform in PLATFORMS}


def is_address_of(code: str, url: str) -> bool:
    """Whether the link leads to that platform, encrypted, with neither a name and password nor a port in it."""
    platform = BY_CODE.get(code)
    if platform is None or len(url) > LONGEST_URL or any(sign.isspace() or sign == "\\" for sign in url):
        return False
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and parts.port is None and "@" not in parts.netloc
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    return is_plain and (host == platform.host or host.endswith(f".{platform.host}"))
