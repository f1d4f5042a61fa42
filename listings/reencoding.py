"""A process of its own that reads one picture and writes three: `python -m listings.reencoding FOLDER < picture`.

Whatever is wrong with a picture, it is wrong in here: memory and time are limited, the web process stays as it is.
Nothing of the original is kept: neither its name and type nor its EXIF, nor anything that stands behind the pixels."""

import hashlib
import io
import json
import resource
import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from listings.picture_sizes import TOO_MANY_PIXELS, UNREADABLE, WIDTHS

TALLEST: Final = 4  # times the width: what is longer than that is made narrower, so that no side grows without end
MOST_PIXELS: Final = 40_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP", "MPO")
MEMORY_BYTES: Final = 1_500 * 2**20
CPU_SECONDS: Final = 20


def main(folder: Path) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    Image.MAX_IMAGE_PIXELS = None  # our own check, before anything is decoded
    try:
        opened = Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS)
        if opened.width * opened.height > MOST_PIXELS:
            return TOO_MANY_PIXELS
        picture = upright(opened)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return UNREADABLE
    sys.stdout.write(json.dumps(write(picture, folder)))
    return 0


def upright(opened: Image.Image) -> Image.Image:
    """The first frame, turned as its EXIF says, in sRGB on a white ground."""
    opened.draft("RGB", (max(WIDTHS) * 2, max(WIDTHS) * 2))  # JPEG only: decodes no more than is needed
    profile = opened.info.get("icc_profile")
    picture = in_eight_bits(ImageOps.exif_transpose(opened))
    if profile and picture.mode in {"RGB", "CMYK", "L"}:
        picture = in_srgb(picture, profile)
    if picture.mode in {"RGBA", "LA", "PA", "P"}:
        with_alpha = picture.convert("RGBA")
        ground = Image.new("RGBA", with_alpha.size, "white")
        picture = Image.alpha_composite(ground, with_alpha)
    return picture.convert("RGB")


def in_eight_bits(picture: Image.Image) -> Image.Image:
    """Greys of 16 bits (PIL calls them I;16 or I) scaled to 8; a plain conversion would cut them off at 255: white."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    return picture.convert("F").point(lambda value: value * (255 / 65535) + 0.5).convert("L")


def in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a broken profile is no reason to refuse the picture
    return changed or picture


def size_within(picture: Image.Image, width: int) -> tuple[int, int]:
    """No wider than that, no higher than TALLEST times that, and never larger than the picture is."""
    share = min(1.0, width / picture.width, width * TALLEST / picture.height)
    return max(1, round(picture.width * share)), max(1, round(picture.height * share))


def write(picture: Image.Image, folder: Path) -> dict[str, str | int]:
    """Three widths, never larger than the picture is, in a folder named by what the largest contains."""
    encoded = {}
    for width in WIDTHS:
        scaled = picture.resize(size_within(picture, width), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        scaled.save(buffer, "WEBP", quality=78, method=4)
        encoded[width] = buffer.getvalue()
        size = scaled.size
    digest = hashlib.sha256(encoded[max(WIDTHS)]).hexdigest()
    place = folder / digest[:2] / digest
    place.mkdir(parents=True, exist_ok=True)
    for width, content in encoded.items():
        draft = place / f".{width}.draft"
        draft.write_bytes(content)
        draft.rename(place / f"{width}.webp")
    return {"digest": digest, "width": size[0], "height": size[1]}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
