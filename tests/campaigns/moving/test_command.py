"""The command itself, in a process of its own and a folder in which nothing was ever made."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.houses import ROOT


def test_an_empty_database_gets_its_tables_and_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    known = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "giving", "import", str(tmp_path / "none")]
    given = known | {"DATA": str(tmp_path), "APP_ENV": "demo"}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("Error: ") and "Traceback" not in done.stderr
    with closing(sqlite3.connect(tmp_path / "pavilion.db")) as house:
        assert house.execute("SELECT COUNT(*) FROM campaign").fetchone() == (0,)
