"""A learned program, kept in a storage folder as the pipeline keeps it, and the tables it was learned on."""

from typing import NamedTuple

import pandas as pd
import pytest

from fuzzyjoin import Program, learn_program
from tasks.handles import ProgramHandle
from tasks.store.named_files import store_file
from tests.cases import EXAMPLES


class Learned(NamedTuple):
    reference: pd.DataFrame
    query: pd.DataFrame
    program: Program
    handle: ProgramHandle


@pytest.fixture
def learned(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "storage"))
    reference, query = (pd.read_csv(EXAMPLES / "Monarch" / name, dtype=str) for name in ("left.csv", "right.csv"))
    program = learn_program(reference, query, on="title", id="id")
    handle = ProgramHandle(
        program_id=program.program_id,
        file=store_file("programs", ".json", program.save),
        precision_target=0.9,
        precision_estimate=program.precision_estimate,
    )
    return Learned(reference, query, program, handle)
