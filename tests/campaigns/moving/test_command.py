"""The command itself, in a process of its own and a folder in which nothing was ever made."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.houses import ROOT


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    known = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    given = known | {"DATA": str(folder), "APP_ENV": "demo"}
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


@pytest.mark.full
def test_an_empty_database_gets_its_tables_and_the_audit_reads_it(tmp_path: Path) -> None:
    done = run(tmp_path, "giving", "import", str(tmp_path / "none"))
    assert done.returncode == 1 and done.stderr.startswith("Error: ") and "Traceback" not in done.stderr
    with closing(sqlite3.connect(tmp_path / "pavilion.db")) as house:
        assert house.execute("SELECT COUNT(*) FROM campaign").fetchone() == (0,)

    audit = run(tmp_path, "ledger", "audit")  # beside the books of a cashier that this house never had
    assert audit.returncode == 0 and audit.stdout.startswith("OK, everything agrees"), audit.stdout + audit.stderr
