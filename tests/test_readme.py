"""The README is short and true: commands print what it quotes, make targets exist, figures were measured."""

import json
import os
import re
import subprocess

import pytest

from benchmarks.other_tools import markdown
from tests.pages import ROOT, blocks_of, commands_of, fill_newcomer_folder, newcomer_environment, shell

PAGE = ROOT / "README.md"
README = PAGE.read_text(encoding="utf-8")
DEVELOPMENT = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
MOST_WORDS = 1300
MAKE_TARGETS = sorted(set(re.findall(r"\bmake ([a-z][a-z-]*)(?=[`\s])(?=[^\n]*(?:`|#))", README + DEVELOPMENT)))


def quotes(printed, quoted):
    """Whether the quoted lines were printed, in this order and without a gap but where a line holds an ellipsis."""
    parts = [re.escape(part.strip("\n")) for part in re.split(r"^…$", quoted, flags=re.MULTILINE)]
    return re.search(r"(?:^|\n)" + r"\n(?:.*\n)*?".join(filter(None, parts)) + r"(?:\n|$)", printed) is not None


def test_the_readme_is_short():
    assert len(README.split()) <= MOST_WORDS


def test_the_readme_has_blocks_of_each_kind():
    assert {language for language, _ in blocks_of(PAGE)} == {"mermaid", "python", "sh", "text"}
    assert {"run", "test", "test-slow", "lint", "lock", "clean"} <= set(MAKE_TARGETS)


def test_its_commands_print_what_it_quotes(tmp_path):
    folder = tmp_path / "newcomer"
    folder.mkdir()
    fill_newcomer_folder(folder)
    printed, quoted = "", 0
    with shell(folder, newcomer_environment(tmp_path / "prefect"), tmp_path / "printed") as terminal:
        for language, text in blocks_of(PAGE):
            # make is not run from inside make: its targets are only looked up.
            if language == "sh" and not text.startswith("make "):
                printed = "".join(terminal.run(command) for command in commands_of(text))
            if language == "text":
                assert quotes(printed, text), f"README.md quotes\n{text}\nand the command printed\n{printed}"
                quoted += 1
    assert quoted >= 4


@pytest.mark.parametrize(
    ("quoted", "is_quote"),
    [
        ("one\ntwo\n", True),
        ("one\n…\nthree\n", True),
        ("one\nthree\n", False),
        ("on\n", False),
        ("three\n…\none\n", False),
    ],
)
def test_a_quote_keeps_lines_whole_and_in_order(quoted, is_quote):
    assert quotes("one\ntwo\nthree\n", quoted) is is_quote


def test_its_figures_are_those_that_the_benchmark_wrote():
    figures = json.loads((ROOT / "benchmarks" / "other_tools.json").read_text(encoding="utf-8"))
    assert markdown(figures) in README


@pytest.mark.parametrize("target", MAKE_TARGETS)
def test_make_target_exists(target):
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    run = subprocess.run(["make", "-n", target], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
