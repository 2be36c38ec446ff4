"""README and docs/ are true: links lead somewhere, examples run, columns and reasons are those of the outputs."""

import os
import re
import runpy

import pandas as pd
import pytest

import fuzzyjoin
from tests.cases import EXAMPLES
from tests.pages import (
    PAGES,
    ROOT,
    anchors_of,
    blocks_of,
    commands_of,
    fill_newcomer_folder,
    newcomer_environment,
    shell,
)

LINKS = [
    (page, link)
    for page in PAGES
    for link in sorted(set(re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8"))))
]
PYTHON = [(page.name, text) for page in PAGES for language, text in blocks_of(page) if language == "python"]
# README.md and pipeline.md have tests of their own.
SHELL = [
    page
    for page in PAGES
    if page.name not in {"README.md", "pipeline.md"} and any(language == "sh" for language, _ in blocks_of(page))
]
OUTPUT = (ROOT / "docs" / "output.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "link"), LINKS, ids=lambda value: getattr(value, "name", value))
def test_link_leads_to_a_file_and_a_heading(page, link):
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.is_file()
    if anchor:
        assert anchor in anchors_of(target)


@pytest.mark.parametrize(("page", "text"), PYTHON, ids=[f"{name}-{place}" for place, (name, _) in enumerate(PYTHON)])
def test_python_example_runs_and_finds_matches(tmp_path, monkeypatch, page, text):
    fill_newcomer_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FUZZYJOIN_")]:
        monkeypatch.delenv(name)
    script = tmp_path / f"{page}.py"
    script.write_text(text, encoding="utf-8")
    assert len(runpy.run_path(str(script))["result"].matches) > 0


@pytest.mark.slow
@pytest.mark.parametrize("page", SHELL, ids=lambda page: page.name)
def test_commands_of_a_page_run_in_order(tmp_path, page):
    folder = tmp_path / "newcomer"
    folder.mkdir()
    fill_newcomer_folder(folder)
    with shell(folder, newcomer_environment(tmp_path / "prefect"), tmp_path / "printed") as terminal:
        for language, text in blocks_of(page):
            for command in commands_of(text) if language == "sh" else []:
                terminal.run(command)
    outputs = re.findall(r"(?:-o|--[\w-]+-out) (\S+)", page.read_text(encoding="utf-8").partition("## With a run")[0])
    written = [name for name in outputs if re.fullmatch(r"[\w-]+\.(csv|json)", name) and (folder / name).exists()]
    assert written
    assert [name for name in written if not (folder / name).stat().st_size] == []


def test_output_lists_the_columns_in_their_order():
    reference, query = (pd.read_csv(f"{EXAMPLES}/ShoppingMall/{side}.csv", dtype=str) for side in ("left", "right"))
    result = fuzzyjoin.fuzzy_join(reference, query, on="title")
    for frame, heading in ((result.matches, "matches.csv"), (result.unmatched, "unmatched.csv")):
        section = OUTPUT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        cells = re.findall(r"^\| (`.+?) \|", section, flags=re.MULTILINE)
        assert re.findall(r"`(\w+)`", " ".join(cells)) == list(frame.columns)


def test_every_reason_that_output_explains_is_one_of_the_code():
    section = OUTPUT.partition("| reason | what to do |")[2].partition("\n\n")[0]
    reasons = re.findall(r"^\| `(.+?)` \|", section, flags=re.MULTILINE)
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "fuzzyjoin").rglob("*.py"))
    assert len(reasons) >= 7
    # The probability and the column are the user's.
    parts = {reason: re.split(r" 0\.5$| state\b|\bstate ", reason) for reason in reasons}
    assert [reason for reason in reasons if not all(part in sources for part in parts[reason])] == []


def test_few_blocks_are_not_run():
    lines = [line for page in PAGES for line in page.read_text("utf-8").splitlines()]
    assert sorted(line for line in lines if line.startswith("<!-- not run")) == [
        "<!-- not run: needs Docker -->",
        "<!-- not run: needs several machines -->",
    ]


def test_the_architecture_names_every_package_of_the_library():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("| package of `fuzzyjoin/` | answers |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)/` \|", section, flags=re.MULTILINE))
    packages = {path.parent.name for path in (ROOT / "fuzzyjoin").glob("*/__init__.py")}
    assert named == packages


def test_a_command_that_fails_is_noticed_and_so_is_one_in_a_pipe(tmp_path):
    with shell(tmp_path, newcomer_environment(tmp_path), tmp_path / "printed") as terminal:
        assert terminal.run("echo said") == "said\n"
        for command in ("false", "false | cat", "no-such-command"):
            with pytest.raises(AssertionError, match="ended with"):
                terminal.run(command)
