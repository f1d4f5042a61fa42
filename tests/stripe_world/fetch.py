"""Fetch what the peer `stripe-world` needs into .cache/stripe-world: `make stripe-world`. It needs npm.

seahaven-stripe-world wants Python 3.14. Pyodide is one, as a package for Node; the wheels are those made for it."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".cache" / "stripe-world"
PYODIDE = "pyodide@314.0.7"
FOR_PYODIDE = ["--python-version", "3.14", "--implementation", "cp", "--abi", "cp314", "--platform"]
FOR_PYODIDE += ["pyemscripten_2026_0_wasm32", "--only-binary", ":all:", "--no-deps", "--require-hashes", "-q"]


def main() -> None:
    if shutil.which("npm") is None:
        sys.exit("npm is missing: apt install npm")
    wheels = FOLDER / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    (FOLDER / "package.json").write_text("{}")
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", PYODIDE]
    subprocess.run(npm, cwd=FOLDER, check=True, stdin=subprocess.DEVNULL)
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", *FOR_PYODIDE]
    subprocess.run([*pip, "-d", str(wheels), "-r", str(HERE / "requirements.txt")], check=True)
    found = find_spec("yaml")  # of which there is no wheel for Pyodide; ours does without its compiled part
    assert found is not None and found.origin is not None
    package = Path(found.origin).parent
    shutil.make_archive(str(wheels / "yaml"), "zip", package.parent, package.name)


if __name__ == "__main__":
    main()
