"""No password is shown or stored, and what is none stays."""

import pytest
from sqlalchemy.engine import make_url

from tasks.scrubbing import mask_secrets_of, scrub, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see postgresql+psycopg://ada:s3cr@t@host/db now", "see postgresql+psycopg://ada:***@host/db now"),
        ("redis://:s3cr@host", "redis://:***@host"),
        ("host=h password=s3cr user=u", "host=h password=*** user=u"),
        ("?sslpassword=s3cr&x=1", "?sslpassword=***&x=1"),
        ("nothing: here@all", "nothing: here@all"),
        ("postgresql://ada:s3/c?r#t@host/db", "postgresql://ada:***@host/db"),
        ('password="s3 cr" user=u', "password=*** user=u"),
        ('{"api_key": "s3cr", "k": 3}', '{"api_key": ***, "k": 3}'),
        ("tokenise=3-gram", "tokenise=3-gram"),
        ("http://host:8080/a", "http://host:8080/a"),
    ],
)
def test_scrub_masks_passwords_and_nothing_else(text, expected):
    assert scrub(text) == expected


def test_secrets_are_masked_at_any_depth():
    assert without_secrets({"tokenise": "3-gram", "tokens": ["s3cr"]}) == {"tokenise": "3-gram", "tokens": "***"}
    value = {"source": {"url": "sqlite://u:s3cr@h", "api_key": "s3cr", "password": None}, "on": ["name"], "k": 3}
    expected = {"source": {"url": "sqlite://u:***@h", "api_key": "***", "password": None}, "on": ["name"], "k": 3}
    assert without_secrets(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no role p@ss/word at host", "no role *** at host"),
        ("postgresql://ada:p%40ss%2Fword@host", "postgresql://ada:***@host"),
        ("tried key-1 as sslkey", "tried *** as sslkey"),
        ("timeout 10 in db", "timeout 10 in db"),
    ],
)
def test_what_is_secret_in_a_url_is_masked_however_it_is_written(text, expected):
    url = make_url("postgresql://ada:p%40ss%2Fword@host/db?sslkey=key-1&connect_timeout=10")
    assert mask_secrets_of(url, text) == expected
    assert scrub(text, url) == expected
