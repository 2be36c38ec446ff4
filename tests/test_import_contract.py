"""The import contract of pyproject.toml is kept, and notices when it is not; no modules import in a circle."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "pyproject.toml"
LAYERS = ("flows", "tasks", "fuzzyjoin")
WITHOUT_CIRCLES = LAYERS
"""Packages among whose modules no circle is allowed."""


def contract_names():
    contracts = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in contracts}


def check_contract(folder):
    """Run the contract on the packages of `folder`; the exit code, the output, the names of the broken contracts."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    output = run.stdout + run.stderr
    return run.returncode, output, set(re.findall(r"^(.+) BROKEN", run.stdout, flags=re.MULTILINE))


@pytest.fixture
def checkout(tmp_path):
    shutil.copy(CONFIG, tmp_path)
    for package in LAYERS:
        if (ROOT / package).is_dir():
            shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_import_contract_is_kept():
    code, output, _ = check_contract(ROOT)
    assert code == 0, output


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("fuzzyjoin/tables/key_table", "import prefect", "pure-library"),
        ("fuzzyjoin/tables/key_table", "from sqlalchemy.orm import Session", "pure-library"),
        ("fuzzyjoin/kernels/csr", "from fuzzyjoin import errors", "kernels-at-the-bottom"),
        ("fuzzyjoin/joining/decide", "from fuzzyjoin.search import *", "apply-without-search"),
        ("fuzzyjoin/tables/columns", "def show():\n    from fuzzyjoin.compare import Candidates", "stages"),
        ("fuzzyjoin/api", "def show():\n    import typer", "terminal-in-cli-only"),
        ("fuzzyjoin/files/table_files", "from tasks.ingestion import ingest", "layers"),
        ("tasks/validation/inputs", "import great_expectations", "great-expectations-in-one-place"),
        ("tasks/steps/ingest_table", "from flows.match_tables import match_tables", "layers"),
        ("tasks/run/masking", "from tasks.steps import validate_inputs", "rooms-of-the-pipeline"),
        ("tasks/warehouse/runs", "def show():\n    from tasks.handles import RunHandle", "rooms-of-the-pipeline"),
        (
            "tasks/warehouse/schema",
            "if TYPE_CHECKING:\n    from tasks.warehouse import runs",
            "without-circles",
        ),
        ("tasks/warehouse/runs", "from prefect import runtime", "adapters-without-orchestrator"),
        ("tasks/steps/compare_programs", "import sqlalchemy as sa", "steps-without-sql"),
        ("flows/match_tables", "import pandas", "flows-without-data"),
    ],
)
def test_a_forbidden_import_breaks_the_contract(checkout, module, statement, broken):
    path = checkout / f"{module}.py"
    path.write_text(path.read_text(encoding="utf-8") + f"\n{statement}\n", encoding="utf-8")

    code, output, names = check_contract(checkout)

    assert code == 1, output
    assert contract_names()[broken] in names, output


def test_every_layer_of_the_checkout_is_under_the_contract():
    configured = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]
    assert set(configured) == {layer for layer in LAYERS if (ROOT / layer).is_dir()}


def circles(package):
    """The groups of a package's modules that import each other by some way round, type-checking imports included."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    below = {module: graph.find_upstream_modules(module) for module in graph.modules}
    return {
        frozenset({module, *(other for other in modules if module in below[other])})
        for module, modules in below.items()
        if any(module in below[other] for other in modules)
    }


@pytest.mark.parametrize("package", WITHOUT_CIRCLES)
def test_no_modules_import_each_other_in_a_circle(package):
    assert circles(package) == set()


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            # Circular for the type checker alone.
            {
                "first": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from rooms.second import Value\n",
                "second": "import rooms.third\n",
                "third": "from rooms.first import value\n",
                "fourth": "import rooms.first\n",
            },
            {frozenset({"rooms.first", "rooms.second", "rooms.third"})},
        ),
        # The door of a package and a room behind it.
        (
            {"__init__": "from rooms.first import value\n", "first": "import rooms\n"},
            {frozenset({"rooms", "rooms.first"})},
        ),
        ({"first": "def late():\n    import rooms.second\n", "second": ""}, set()),
    ],
    ids=["for the type checker", "through the door", "none"],
)
def test_a_circle_is_noticed(tmp_path, monkeypatch, files, found):
    folder = tmp_path / "rooms"
    folder.mkdir()
    for name, content in {"__init__": "", **files}.items():
        (folder / f"{name}.py").write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert circles("rooms") == found
