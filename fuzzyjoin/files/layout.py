"""How a table is laid out in a file: its delimiter and encoding, found where they are sure, and its sheet."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files.csv_reader import CsvError, csv_reader
from fuzzyjoin.files.text_streams import opened, opened_text

if TYPE_CHECKING:
    from pathlib import Path

    from fuzzyjoin.files.formats import FileFormat

__all__ = [
    "AS_FOUND",
    "DELIMITERS",
    "Delimiter",
    "Layout",
    "encoding_name",
    "found_text_layout",
    "other_delimiters",
    "require_encoding",
    "unmarked_remedy",
]

Delimiter = Literal[",", ";", "\t", "|"]

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""What parts the fields of a line, with its name."""

_SPELLED: Final = {"tab": "\t", "\\t": "\t"}
"""A tab as a person can type it."""

_LINES_LOOKED_AT: Final = 100
_BLOCK: Final = 1 << 20

_MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

_NAMES: Final = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}


@dataclass(frozen=True)
class Layout:
    r"""How a table is laid out in its file; None for what is to be found.

    Parameters
    ----------
    delimiter
        What stands between two fields of a CSV or TSV file: a comma, a semicolon, a tab (also spelled ``tab``) or a
        bar.
    encoding
        The encoding of a CSV or TSV file, by a name that Python knows.
    sheet
        The sheet of an Excel workbook, by its name.

    Raises
    ------
    UsageError
        If the delimiter is another, or no such encoding is known.

    Examples
    --------
    >>> Layout(delimiter="tab", encoding="Windows-1252")
    Layout(delimiter='\t', encoding='cp1252', sheet=None)
    """

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None:
            delimiter = _SPELLED.get(self.delimiter, self.delimiter)
            if delimiter not in DELIMITERS:
                raise UsageError(
                    f"delimiter is {self.delimiter!r}; expected one of , ; | or tab: name the one between the fields "
                    "of the file"
                )
            object.__setattr__(self, "delimiter", delimiter)
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _codec(self.encoding))


AS_FOUND: Final = Layout()
"""Everything is found."""


def encoding_name(encoding: str) -> str:
    """What people call an encoding.

    >>> encoding_name("cp1252"), encoding_name("cp1250")
    ('Windows-1252', 'Windows-1250')
    """
    return _NAMES.get(encoding, re.sub(r"^cp125", "Windows-125", encoding))


def found_text_layout(path: Path, file_format: FileFormat, asked: Layout) -> Layout:
    """Find the delimiter and the encoding of a CSV or TSV file as far as they are not named.

    The encoding: a byte order mark decides; else a file that is UTF-8 is read as UTF-8; else one whose bytes make sense
    as Windows-1252 (see `_is_windows_1252`) is read as that.

    The delimiter: that which the ending says, unless it parts the header into one field, or less than half of the first
    lines into as many as the header. Then another one is, if it is the only one that parts the header and all of the
    first lines into as many fields, two or more. One that parts them all into more fields than the ending's is, too.

    Raises
    ------
    DataError
        If the encoding is not sure.
    OSError
        If the file cannot be opened.
    """
    if asked.encoding is None:
        asked = replace(asked, encoding=_found_encoding(path, file_format))
    if asked.delimiter is None:
        asked = replace(asked, delimiter=_found_delimiter(path, file_format, str(asked.encoding)))
    return asked


def require_encoding(path: Path, file_format: FileFormat, named: str) -> None:
    """Raise a DataError if another encoding than UTF-8 is named for a file that has letters as UTF-8 writes them.

    Nearly all bytes mean something in most encodings, so that the texts would be read, and be wrong.
    """
    if named.startswith(("utf-", "utf_")):
        return
    with opened(path, file_format) as raw:
        data = raw.read()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return
    if not data.isascii():
        raise DataError(
            f"{path}: is UTF-8, but {encoding_name(named)} is named as its encoding",
            remedy=f"name it for the other table alone: --encoding {named}= if that is the reference table, "
            f"--encoding ={named} if it is the query table",
        )


def other_delimiters(path: Path, file_format: FileFormat, layout: Layout) -> list[str]:
    """Delimiters that part the header where the one of the layout does not."""
    if _shape(path, file_format, str(layout.encoding), str(layout.delimiter))[0] > 1:
        return []
    others = (delimiter for delimiter in DELIMITERS if delimiter not in {layout.delimiter, ","})
    return [other for other in others if _shape(path, file_format, str(layout.encoding), other)[0] > 1]


def _codec(name: str) -> str:
    """The name by which Python knows an encoding of text; UTF-8 with or without a byte order mark."""
    try:
        codec = codecs.lookup(name.strip()).name
        # Compressions and the like are no encodings of text.
        "a".encode(codec)
    except (LookupError, ValueError):
        raise UsageError(
            f"encoding is {name!r}, which is none that can be read; expected the name of a text encoding, such as "
            "utf-8, utf-16, windows-1252, windows-1250 or iso-8859-15"
        ) from None
    return "utf-8-sig" if codec == "utf-8" else codec


def _found_delimiter(path: Path, file_format: FileFormat, encoding: str) -> str:
    named = file_format.separator or ","
    fields, share = _shape(path, file_format, encoding, named)
    fits = fields > 1 and share >= 0.5  # noqa: PLR2004 - half of the lines
    fitting = []
    # Commas are too common in texts to be found where the ending says something else.
    for other in (mark for mark in DELIMITERS if mark not in {named, ","}):
        parts, evenly = _shape(path, file_format, encoding, other)
        if parts > (fields if fits else 1) and evenly == 1.0:
            fitting.append(other)
    return fitting[0] if len(fitting) == 1 else named


def _shape(path: Path, file_format: FileFormat, encoding: str, delimiter: str) -> tuple[int, float]:
    """How many fields the header has by a delimiter, and the share of the lines below it, of the first, that fit it."""
    widths: list[int] = []
    try:
        with opened_text(path, file_format, encoding) as text:
            for row in islice(csv_reader(text, delimiter), _LINES_LOOKED_AT):
                widths += [len(row)] if row else []
    except (CsvError, ValueError, EOFError, gzip.BadGzipFile, zlib.error):
        return (widths[0], 0.0) if widths else (0, 0.0)
    if not widths:
        return 0, 0.0
    return widths[0], widths[1:].count(widths[0]) / (len(widths) - 1) if len(widths) > 1 else 1.0


def _found_encoding(path: Path, file_format: FileFormat) -> str:
    """Find the encoding; a file that is cut short, which reading tells, counts as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with opened(path, file_format) as raw:
            start = raw.read(len(codecs.BOM_UTF8))
            for mark, encoding in _MARKS.items():
                if start.startswith(mark):
                    return encoding
            decoder.decode(start)
            while block := raw.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        with opened(path, file_format) as raw:
            data = raw.read()
        if _is_windows_1252(data):
            return "cp1252"
        raise _unsure(path, data) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        pass
    return "utf-8-sig"


def _unsure(path: Path, data: bytes) -> DataError:
    if 0 in data[:2]:
        return DataError(
            f"{path}: seems to be UTF-16 without a byte order mark",
            remedy=unmarked_remedy(data[0] == 0),
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        what = f"line {line}: the byte 0x{data[error.start]:02X} at offset {error.start:,} is not UTF-8"
    else:
        return DataError(f"{path}: changed while it was read", remedy="try again")
    return DataError(
        f"{path}: {what}, and the file as a whole does not read as Windows-1252",
        remedy="name its encoding, such as --encoding windows-1252 or --encoding windows-1250, or save it as UTF-8",
    )


def unmarked_remedy(zero_first: bool) -> str:  # noqa: FBT001 - one thing is told
    """What to do with UTF-16 without a byte order mark; a header's first letter hardly ever needs both bytes."""
    return f"name its encoding, --encoding utf-16-{'be' if zero_first else 'le'}, or save it as UTF-8"


# What follows tells Western European text in Windows-1252 from text in other encodings that was read as such.

_UTF_8: Final = re.compile(rb"[\xc2\xc3][\x80-\xbf]|\xe2\x80[\x90-\xaf]")
"""Accented letters and quotation marks as UTF-8 writes them: in Windows-1252 "Ã¤" and the like."""

_LETTER: Final = "[A-Za-zÀ-ÖØ-öø-ÿŒœŠšŽžŸƒ]"
_SMALL: Final = "[a-zß-öø-ÿœšžƒ]"

_SIGNS: Final = r"^\x00-\x7fÀ-ÖØ-öø-ÿŒœŠšŽžŸƒ"
_JOINING: Final = r"\u2018\u2019\xb4\xb7\u2013\u2014\u2026\xa0\xad"
_QUOTING: Final = _JOINING + r"«»\u2039\u203a„“”"
_OPENING: Final = _QUOTING + r"¿¡\u201a•§©°µ"
_CLOSING: Final = _QUOTING + r"®™©ªº°²³€†"

_SENSELESS: Final = re.compile(
    "|".join(
        (
            # Hardly ever in Western texts; in their place others have ä, ö, ü, é, š and ž.
            "[ŠšŽžŸƒ]",
            "(?<![Aa])ÿ",
            # A capital after a small letter: other encodings have small letters there.
            f"(?<={_SMALL})[À-ÖØ-ÞŒ]",
            # Signs that do not touch a letter on this side, and those that stand between two.
            f"[{_SIGNS}](?<![{_OPENING}])(?={_LETTER})",
            f"(?<={_LETTER})[{_SIGNS}](?<![{_CLOSING}])",
            f"(?<={_LETTER})[{_SIGNS}](?<![{_JOINING}])(?={_LETTER})",
            # Italian has these at the end of a word; Portuguese these before another vowel, or at the end.
            f"[ìùÌÙ](?={_LETTER})",
            "[õÕ](?![eE])",
            f"[ãÃ](?![oOeEiIsS])(?={_LETTER})",
        )
    )
)

_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")

_RUN: Final = re.compile(r"[^\x00-\x7f\xa0]{4,}")
"""Characters beyond ASCII in a row: a word of Western Europe has three at most."""

_ICELANDIC: Final = frozenset("ðþ")
_NOT_ICELANDIC: Final = frozenset("àâãçèêëìîïñòôõùûü")

_SENSELESS_AT_MOST: Final = 0.05


def _is_windows_1252(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 surely are Windows-1252.

    All bytes are characters of it, none a control character. None of them make an accented letter of UTF-8: that is
    UTF-8 with some damage. And of the characters beyond ASCII at most 5 % stand where no language of Western Europe
    writes them (see `_SENSELESS` and `_RUN`); ð and þ go with the other letters of Icelandic only, because Turkish and
    the Baltic languages have other letters at their codes.
    """
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    if re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text) or _UTF_8.search(data):
        return False
    found = Counter(text[max(run.start() - 1, 0) : run.end() + 1] for run in _BEYOND_ASCII.finditer(text))
    letters = set("".join(found).lower())
    if letters & _ICELANDIC and letters & _NOT_ICELANDIC:
        return False
    beyond = senseless = 0
    for around, times in found.items():
        beyond += times * (len(around) - len(around.encode("ascii", errors="ignore")))
        senseless += times * len(_SENSELESS.findall(around))
        senseless += times * sum(map(len, _RUN.findall(around)))
    return senseless <= _SENSELESS_AT_MOST * beyond
