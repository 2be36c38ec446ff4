"""Text that does nothing to a terminal: what can move the cursor, hide or reorder text is written out."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["cell_for_terminal", "for_terminal", "printable"]

# Controls, formats, half characters, line and paragraph separators.
_ESCAPED: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}

# Controls but line ends and tabs, what reorders text, half characters, line and paragraph separators. Joiners stay:
# some scripts are not written without them.
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def printable(text: str) -> str:
    r"""Write a cell out for reading: it stays on its line, and every invisible character is seen.

    >>> printable("a\tb\x1b[2J")
    'a\\tb\\x1b[2J'
    """
    return "".join(
        _written(character) if unicodedata.category(character) in _ESCAPED else character for character in text
    )


def cell_for_terminal(value: object) -> str:
    r"""Write a cell into a sentence: harmless, and on one line, so that it cannot pass for a line of ours.

    >>> cell_for_terminal("a\nScore 1"), cell_for_terminal(7)
    ('a\\nScore 1', '7')
    """
    return for_terminal(str(value)).replace("\n", r"\n").replace("\t", r"\t")


def for_terminal(text: str) -> str:
    r"""Make text of several lines harmless, whatever cells are in it.

    >>> for_terminal("one\ntwo\x1b[2J \u202eevil")
    'one\ntwo\\x1b[2J \\u202eevil'
    """
    return _HARMFUL.sub(lambda found: _written(found[0]), text)


def _written(character: str) -> str:
    return character.encode("unicode_escape").decode()
