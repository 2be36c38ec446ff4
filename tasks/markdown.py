"""Markdown that values of the data cannot break out of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["code", "escaped", "table"]

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
