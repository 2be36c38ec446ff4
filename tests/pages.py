"""Pages of documentation as data: their blocks of commands, and a shell that the commands are pasted into."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# A comment before a block says why no test runs it.
BLOCK = re.compile(r"^(<!-- not run: .+ -->\n)?```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks_of(page):
    """The (language, text) of every block of a page that is run, in order."""
    return [(language, text) for left_out, language, text in BLOCK.findall(page.read_text("utf-8")) if not left_out]


def commands_of(text):
    """The commands of a block: a line each, with the lines that it goes on in."""
    return [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]


def anchors_of(page):
    """The anchors that GitHub gives to a page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def newcomer_environment(home):
    """The environment of someone who has set nothing, with Prefect's files in `home`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FUZZYJOIN_", "PREFECT_"))}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        inherited.pop(name, None)
    return inherited | {"PREFECT_HOME": str(home), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300"}


def fill_newcomer_folder(folder):
    """Put what commands need of the checkout into a folder, so that outputs stay out of the checkout."""
    for name in ("deployments", "docs", "flows", "tasks"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)


def copy_checkout(folder):
    """Copy the checkout as somebody would clone it, installed already; compiled kernels come along."""
    left_out = shutil.ignore_patterns(".git", ".venv", "build", ".*_cache", ".hypothesis", "fuzzyjoin-storage", "*.db")
    shutil.copytree(ROOT, folder, ignore=left_out)
    environment = folder / ".venv"
    environment.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.suffix != ".stamp":
            (environment / part.name).symlink_to(part)
    # Whatever make would install is there: its marks are newer than the files that they depend on.
    for mark in re.findall(r"\$\(VENV\)/([\w-]+\.stamp):", (ROOT / "Makefile").read_text("utf-8")):
        (environment / mark).touch()


class Shell:
    """A bash that commands are pasted into, one after the other."""

    def __init__(self, process, log):
        self._process = process
        self._log = log

    def run(self, command):
        """What a command prints; a failure stops the test with it."""
        before = self._log.stat().st_size
        with tempfile.TemporaryDirectory() as folder:
            done = Path(folder) / "done"
            os.mkfifo(done)
            self._process.stdin.write(f"{command}\necho $? > {shlex.quote(str(done))}\n".encode())
            self._process.stdin.flush()
            status = done.read_text().strip()
        printed = self._log.read_bytes()[before:].decode("utf-8", errors="replace")
        assert status == "0", f"{command}\nended with {status}:\n{printed[-4000:]}"
        return printed


@contextmanager
def shell(folder, environment, log):
    """A shell in a folder. It reads its commands from a pipe, and no command reads them away."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-o", "pipefail"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Shell(process, log)
    finally:
        process.stdin.close()
        process.wait(60)
