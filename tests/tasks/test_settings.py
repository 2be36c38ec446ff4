"""Parameters: what a form shows, and what is refused."""

import pytest
from pydantic import ValidationError

from tasks.settings import Checks, Conduct, Privacy, ReviewSettings, Search, Tables, Warehouse

FORMS = (Tables, Search, Checks, Privacy, Conduct, ReviewSettings, Warehouse)
FILES = {"reference": {"kind": "file", "path": "a.csv"}, "query": {"kind": "file", "path": "b.csv"}}


def properties(schema):
    for part in [schema, *schema.get("$defs", {}).values()]:
        yield from part.get("properties", {}).items()


@pytest.mark.parametrize("form", FORMS)
def test_every_field_says_what_it_is_for(form):
    unsaid = [name for name, field in properties(form.model_json_schema()) if not field.get("description")]
    assert set(unsaid) <= {"kind"}


@pytest.mark.parametrize("form", FORMS)
def test_no_description_shows_code(form):
    schema = form.model_json_schema()
    descriptions = [part.get("description", "") for part in [schema, *schema.get("$defs", {}).values()]]
    assert all(descriptions)
    assert not any(">>>" in text or "---" in text for text in descriptions)


def test_columns_are_paired():
    tables = Tables.model_validate({**FILES, "compare": ["name=title", "city", "name=alias"]})
    assert tables.pairs == [("name", "title"), ("city", "city"), ("name", "alias")]
    assert tables.columns("reference") == ["name", "city", "name"]
    assert tables.columns("query") == ["title", "city", "alias"]


@pytest.mark.parametrize(
    ("form", "values", "where"),
    [
        (Tables, {**FILES, "compare": []}, "compare"),
        (Tables, {**FILES, "compare": ["a=b=c"]}, "compare"),
        (Tables, {**FILES, "compare": ["=b"]}, "compare"),
        (Tables, {**FILES, "compare": ["a"], "surprise": 1}, "surprise"),
        (Tables, {**FILES, "query": {"kind": "file", "path": ""}, "compare": ["a"]}, "query"),
        (Search, {"precision_target": 1.0}, "precision_target"),
        (Search, {"precision_target": 0.0}, "precision_target"),
        (Search, {"precision_target": float("nan")}, "precision_target"),
        (Search, {"min_probability": 1.0}, "min_probability"),
        (Search, {"min_probability": -0.1}, "min_probability"),
        (Search, {"space": "huge"}, "space"),
        (Conduct, {"wait_seconds": -1}, "wait_seconds"),
        (Conduct, {"keep_days": -1}, "keep_days"),
        (Conduct, {"promotion": "never"}, "promotion"),
        (Privacy, {"evidence": "none"}, "evidence"),
    ],
)
def test_a_wrong_value_is_refused_by_name(form, values, where):
    with pytest.raises(ValidationError) as caught:
        form.model_validate(values)
    error = caught.value.errors()[0]
    assert where in f"{error['loc']} {error['msg']}"


def test_no_setting_can_hold_a_url():
    for form in FORMS:
        assert not {name for name, _ in properties(form.model_json_schema())} & {"url", "password", "connection"}


@pytest.mark.parametrize(
    ("search", "least"),
    [({}, 0.5), ({"min_probability": 0.0}, 0.0), ({"method": "autofj"}, None), ({"space": "small"}, None)],
)
def test_the_least_match_probability_is_asked_for_where_a_scorer_decides(search, least):
    settings = Search(**search)
    assert settings.by_scorer == (least is not None)
    assert settings.learning_settings().min_probability == (least or 0.0)
