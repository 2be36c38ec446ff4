"""Passwords taken out of whatever is shown or stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["is_secret_name", "mask_secrets_of", "scrub", "without_secrets"]

MASK = "***"
# To tokenise is what join functions do; it is no secret.
SECRET_NAME = re.compile(r"password|passwd|passphrase|secret|token(?!i[sz])|api_?key|credential", re.IGNORECASE)
# Among the options of a database's URL, where a file's name masked too much is better than a key masked too little.
SECRET_URL_OPTION = re.compile("pass|pwd|secret|token|key", re.IGNORECASE)
# The user may be missing, and a password may hold unescaped characters of a URL: the last @ ends it.
URL_PASSWORD = re.compile(r"(?P<start>[a-z][a-z0-9+.-]*://[^\s:/?#@]*):\S*@", re.IGNORECASE)
SECRET_OPTION = re.compile(
    rf"(?P<start>\b\w*(?:{SECRET_NAME.pattern})\w*[\"']?\s*[=:]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s&'\",}}]+)", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Whether a parameter of this name holds a secret."""
    return SECRET_NAME.search(name) is not None


def scrub(text: str, url: URL | None = None) -> str:
    """The text without passwords: those of URLs and of `password=…` in it, and what is secret in `url`."""
    if url is not None:
        text = mask_secrets_of(url, text)
    text = URL_PASSWORD.sub(rf"\g<start>:{MASK}@", text)
    return SECRET_OPTION.sub(rf"\g<start>{MASK}", text)


def mask_secrets_of(url: URL, text: str) -> str:
    """The text with whatever is secret in a URL masked, its options included, plain or as a URL writes it."""
    options = [value for name, value in url.normalized_query.items() if SECRET_URL_OPTION.search(name)]
    secrets = (str(secret) for secret in (url.password, *chain(*options)) if secret)
    written = {form for secret in secrets for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def without_secrets(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON value with its passwords masked, at any depth."""
    if isinstance(value, Mapping):
        return {
            str(name): MASK if is_secret_name(str(name)) and item is not None else without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Sequence):
        return [without_secrets(item) for item in value]
    return value
