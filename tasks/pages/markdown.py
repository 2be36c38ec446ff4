"""Markdown that values of the data cannot break out of."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["code", "escaped", "short_id", "table", "wrapped"]

WIDTH: Final = 80
"""Characters of a line of code that the run's page shows without scrolling."""

# Whatever could open markup, a link or a table's next cell.
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~&$])")


def escaped(text: str) -> str:
    r"""The text in one line, as it reads.

    >>> escaped("a|b\n<i>")
    'a\\|b \\<i\\>'
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table of texts.

    >>> print(table(("a", "b"), [("1", "2|3")]))
    | a | b |
    |---|---|
    | 1 | 2\|3 |
    """
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(escaped, row))} |" for row in rows)])


def code(text: str, *, inline: bool = False) -> str:
    """The text as code, between fences longer than any in it.

    >>> code("a`b", inline=True)
    '``a`b``'
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 1 if inline else 3)
    return f"{fence}{text}{fence}" if inline else f"{fence}\n{text}\n{fence}"


def wrapped(text: str) -> str:
    r"""The text with its long lines broken between words, for `code`.

    >>> print(wrapped("short\n" + "long " * 17))
    short
    long long long long long long long long long long long long long long long long
        long
    """
    fill = textwrap.TextWrapper(WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(fill.fill, text.splitlines()))


def short_id(program_id: str) -> str:
    """As much of a content hash as tells programs apart.

    >>> short_id("sha256:5de30f689dd445fa0646ee6c")
    'sha256:5de30f689dd4…'
    """
    start = program_id[: len("sha256:") + 12]
    return start if start == program_id else f"{start}…"
