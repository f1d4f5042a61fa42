"""Papers as PDF, set by typst in a short-lived process of its own: its library takes 45 MB, a page a tenth of a second.

`make` is called by the web process and imports nothing heavy; the process that it starts runs this file."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 30  # seconds


def make(paper: Mapping[str, Any], sheet: Path) -> bytes:
    """The paper as PDF, by this sheet. Raises CalledProcessError, TimeoutExpired where typesetting fails."""
    command = [sys.executable, "-I", str(Path(__file__)), str(sheet)]
    done = subprocess.run(command, input=json.dumps(paper).encode(), capture_output=True, check=True, timeout=PATIENCE)
    return done.stdout


def main() -> None:
    """Of the process: JSON comes in, PDF goes out."""
    import pylopdf_fonts_zh_cn as fonts
    import typst

    folder = str(fonts.sans_path().parent)
    paper = sys.stdin.buffer.read().decode()
    inputs = {"paper": paper}
    pdf = typst.compile(sys.argv[1], font_paths=[folder], ignore_system_fonts=True, sys_inputs=inputs)
    sys.stdout.buffer.write(bytes(pdf))


if __name__ == "__main__":
    main()
