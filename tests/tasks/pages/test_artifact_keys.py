"""Every pipeline has artifact keys of its own, which the orchestrator accepts."""

import hashlib
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.pages.artifact_keys import ArtifactKind, artifact_key

NAMES = st.text(st.sampled_from("aAbB0f-_.éß"), min_size=1, max_size=8)


@pytest.mark.parametrize("name", ["malls", "Malls", "two.parts", "two_parts", "two-parts", "日本", "-", "a" * 100])
@pytest.mark.parametrize("kind", get_args(ArtifactKind))
def test_a_key_has_lowercase_letters_digits_and_dashes(name, kind):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", artifact_key(name, kind))


@given(NAMES, NAMES)
def test_two_names_have_two_keys(first, second):
    assert (artifact_key(first, "result") == artifact_key(second, "result")) == (first == second)


def test_names_that_are_written_alike_have_two_keys():
    names = ["two.parts", "two_parts", "two-parts", "Two-Parts", "two--parts"]
    keys = {artifact_key(name, "result") for name in names}
    assert len(keys) == len(names)
    assert "two-parts-result" in keys
    # A name that is what another one's key begins with.
    digest = hashlib.sha256(b"two_parts").hexdigest()[:8]
    assert artifact_key(f"two-parts-{digest}", "result") not in keys
