"""What the web process and the process that reads pictures agree on; Pillow stays out of the former."""

from typing import Final

WIDTHS: Final = (320, 640, 1280)
UNREADABLE, TOO_MANY_PIXELS = 3, 4  # exit codes of listings.reencoding
