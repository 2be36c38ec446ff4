"""Passwords taken out of whatever is shown or stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["is_secret_name", "scrub", "without_secrets"]

MASK = "***"
# To tokenise is what join functions do; it is no secret.
SECRET_NAME = re.compile(r"password|passwd|passphrase|secret|token(?!i[sz])|api_?key|credential", re.IGNORECASE)
# The user may be missing, and a password may hold unescaped characters of a URL: the last @ ends it.
URL_PASSWORD = re.compile(r"(?P<start>[a-z][a-z0-9+.-]*://[^\s:/?#@]*):\S*@", re.IGNORECASE)
SECRET_OPTION = re.compile(
    rf"(?P<start>\b\w*(?:{SECRET_NAME.pattern})\w*[\"']?\s*[=:]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s&'\",}}]+)", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Whether a parameter of this name holds a secret."""
    return SECRET_NAME.search(name) is not None


def scrub(text: str, url: URL | None = None) -> str:
    """The text without passwords: those of URLs and of `password=…` in it, and the one of `url`, however written."""
    if url is not None and url.password:
        password = str(url.password)
        for written in sorted({password, quote(password, safe=""), quote_plus(password)}, key=len, reverse=True):
            text = text.replace(written, MASK)
    text = URL_PASSWORD.sub(rf"\g<start>:{MASK}@", text)
    return SECRET_OPTION.sub(rf"\g<start>{MASK}", text)


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
