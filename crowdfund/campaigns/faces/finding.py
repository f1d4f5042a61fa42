"""A process of its own that counts the faces on one picture: `python -m crowdfund.campaigns.faces.finding FILE`.

OpenCV's Haar cascades, which its wheel carries; nothing is fetched. They miss faces that are turned away or small, and find
some that are none: the second is what another person is for, the first is said where the officer ticks the box (ADR 36)."""

import resource
import sys
from pathlib import Path
from typing import Any, Final

CASCADES: Final = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml")
STEP, NEIGHBOURS, SMALLEST = 1.08, 5, 1 / 40  # of the longer side; nobody is known by a face that is smaller
MEMORY_BYTES: Final = 2_000 * 2**20
CPU_SECONDS: Final = 30


def main(file: Path) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    import cv2

    cv2.setNumThreads(1)
    picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return 3
    sys.stdout.write(str(faces(cv2, cv2.equalizeHist(picture))))
    return 0


def faces(cv2: Any, picture: Any) -> int:
    """The most that any cascade finds, of the picture as it is or of its mirror image: profiles are known from one side."""
    smallest = max(20, round(max(picture.shape) * SMALLEST))
    found = []
    for name in CASCADES:
        cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))
        for view in (picture, cv2.flip(picture, 1)):
            found.append(len(cascade.detectMultiScale(view, STEP, NEIGHBOURS, minSize=(smallest, smallest))))
    return max(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
