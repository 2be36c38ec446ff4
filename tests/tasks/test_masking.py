"""Masked columns stay masked; what is shown is shown."""

import pandas as pd
import pytest

from tasks.handles import InputHandle
from tasks.ingestion import write_snapshot
from tasks.masking import masked_texts, shown_texts
from tasks.settings import Privacy


@pytest.fixture
def people(tmp_path):
    frame = pd.DataFrame(
        {"id": ["1", "2", "3"], "name": ["Ada Lovelace", None, None], "city": ["London", "Bergen", None]}, dtype="str"
    )
    return InputHandle(
        role="query", table=write_snapshot(frame, tmp_path), id_column="id", columns=("name", "city", "name")
    )


def test_by_default_lengths_are_all_that_is_seen(people):
    texts = masked_texts(people, Privacy())
    assert texts.to_dict() == {"1": "[12 characters] | [6 characters]", "2": "[6 characters]", "3": None}


def test_shown_columns_are_seen_and_no_others(people):
    privacy = Privacy(shown_columns=("city",))
    assert masked_texts(people, privacy)["1"] == "[12 characters] | London"
    assert shown_texts(people, privacy).to_dict() == {"1": "London", "2": "Bergen", "3": None}


def test_nothing_shown_leaves_no_text(people):
    assert shown_texts(people, Privacy()).to_dict() == {"1": None, "2": None, "3": None}
