"""The type checker sees the public names as in a user's code: through the installed package and its marker."""

import shutil
import subprocess
import sys
from pathlib import Path

CODE = Path(__file__).parent / "typing"


def test_a_users_right_uses_pass_and_wrong_ones_are_found(tmp_path):
    # Away from the checkout, where mypy would find the sources without the marker.
    files = ("right_uses.py", "wrong_uses.py")
    for name in files:
        shutil.copy(CODE / name, tmp_path)
    # pandas and pyarrow ship no annotations, with which a user has to live.
    options = ["--strict", "--config-file=", "--disable-error-code=import-untyped"]
    command = [sys.executable, "-m", "mypy", *options, *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "Success: no issues found in 2 source files\n"
    assert done.returncode == 0, done.stderr
