"""Which columns are compared, and which name the rows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import DELIMITERS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "NUMBERED",
    "ROW_NUMBER",
    "IdColumn",
    "On",
    "choose_columns",
    "choose_equal",
    "choose_id",
    "choose_ids",
    "identified",
    "needs_numbers",
    "numbered",
    "numbering",
    "require_column",
    "split_columns",
]

ROW_NUMBER = "row number"
"""The id column of a table whose rows are numbered, from 1."""

On: TypeAlias = str | Mapping[str, str] | Sequence[str | tuple[str, str]] | None
"""The columns to compare, as the caller names them."""

IdColumn: TypeAlias = str | tuple[str, str] | None
"""The id column of both tables, or of the reference and the query table."""

NUMBERED = (
    "{} has no column `id` and no column whose values are present and unique: its rows are numbered from 1, and these "
    "ids name rows of this very table only"
)


_NAMES_SHOWN = 20


def choose_columns(
    on: On,
    id_column: IdColumn,
    reference: pd.DataFrame,
    query: pd.DataFrame,
    *,
    but: Sequence[tuple[str, str]] = (),
) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    """The id columns, and the pairs of (reference column, query column) to compare.

    Without `on` the pairs in `but` are left out: what is equal in all candidates tells none of them apart.

    >>> import pandas as pd
    >>> frame = pd.DataFrame(columns=["id", "name", "city"])
    >>> choose_columns("name", None, frame, frame)
    (('id', 'id'), [('name', 'name')])
    >>> choose_columns(None, None, frame, frame)[1]
    [('name', 'name'), ('city', 'city')]
    >>> choose_columns({"name": "city"}, None, frame, frame)[1] == choose_columns("name=city", None, frame, frame)[1]
    True

    Raises
    ------
    UsageError
        If `on` has another form, a named column does not exist, none is left to compare, or a pair is named twice.
    """
    ids = choose_ids(id_column, reference, query)
    if on is None:
        named = (str(name) for name in reference.columns if name in query.columns and name not in ids)
        shared = [(name, name) for name in named if (name, name) not in but]
        if not shared:
            raise UsageError(
                f"on is not given and reference and query share no column besides the ids {ids}; name the columns to "
                "compare, as (reference column, query column) where the names differ"
            )
        return ids, shared
    pairs = _column_pairs(on, "on", reference, query)
    if not pairs:
        raise UsageError("on is empty; name at least one column to compare")
    return ids, pairs


def choose_equal(equal: On, reference: pd.DataFrame, query: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs of (reference column, query column) whose values must be equal, named as in `on`; None names none.

    >>> import pandas as pd
    >>> frame = pd.DataFrame(columns=["id", "name", "state"])
    >>> choose_equal("state", frame, frame), choose_equal(None, frame, frame)
    ([('state', 'state')], [])

    Raises
    ------
    UsageError
        As for `choose_columns`.
    """
    return [] if equal is None else _column_pairs(equal, "equal", reference, query)


def choose_ids(id_column: IdColumn, reference: pd.DataFrame, query: pd.DataFrame) -> tuple[str, str]:
    """The id columns of both tables, as for `choose_id`."""
    sides = sides_of(id_column)
    return choose_id(reference, "reference", sides[0]), choose_id(query, "query", sides[1])


def identified(
    reference: pd.DataFrame, query: pd.DataFrame, id_column: IdColumn
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], tuple[str, ...]]:
    """Both tables with an id column each, and what the caller should know: rows without ids are numbered.

    A row's number names it in this table alone: in another version of the table it can name another row.

    Examples
    --------
    >>> import pandas as pd
    >>> reference, query = pd.DataFrame({"id": [7], "name": ["a"]}), pd.DataFrame({"name": ["b", "b"]})
    >>> identified(reference, query, None)[0][1].to_dict("list")
    {'name': ['b', 'b'], 'row number': [1, 2]}
    """
    sides = sides_of(id_column)
    reference, of_reference = numbering(reference, "reference", sides[0])
    query, of_query = numbering(query, "query", sides[1])
    return (reference, query), (*of_reference, *of_query)


def numbering(frame: pd.DataFrame, role: str, id_column: str | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table with its rows numbered, and a sentence that says so, if nothing else names them."""
    if id_column is not None or not needs_numbers(frame):
        return frame, ()
    return numbered(frame), (NUMBERED.format(role),)


def needs_numbers(frame: pd.DataFrame) -> bool:
    """Whether a table has rows, and no column that can name them."""
    return len(frame) > 0 and "id" not in frame.columns and _unique_column(frame) is None


def numbered(frame: pd.DataFrame, *, first: int = 1) -> pd.DataFrame:
    """The table with the numbers of its rows as its id column; a column of that name, which is none, gives way."""
    return frame.assign(**{ROW_NUMBER: range(first, first + len(frame))})


_ON_FORMS = (
    "give a column name, 'reference column=query column', a dict {reference column: query column}, or a list of names "
    "and (reference column, query column) pairs"
)


def _column_pairs(named: object, argument: str, reference: pd.DataFrame, query: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs of columns that an argument names in any of its forms: columns that there are, no pair twice."""
    match named:
        case str():
            parts: list[object] = [named]
        case Mapping():
            parts = list(named.items())
        # The columns of a set have no order, and a program depends on it.
        case Iterable() if not isinstance(named, (AbstractSet, bytes)):
            parts = list(named)
        case _:
            raise UsageError(f"{argument} is {named!r}", argument=argument, remedy=_ON_FORMS)
    pairs = []
    for part in parts:
        match part:
            case str():
                pairs.append(split_columns(part, reference, query))
            case (str() as left, str() as right):
                pairs.append((left, right))
            case _:
                raise UsageError(f"{argument} holds {part!r}", argument=argument, remedy=_ON_FORMS)
    if len(set(pairs)) < len(pairs):
        raise UsageError(f"{argument} names a pair of columns twice: {pairs}; name each once")
    for left, right in pairs:
        require_column(reference, left, "reference", argument)
        require_column(query, right, "query", argument)
    return pairs


def split_columns(text: str, reference: pd.DataFrame, query: pd.DataFrame) -> tuple[str, str]:
    """Take "name" or "reference column=query column" apart.

    A name may itself contain "=": the text as a whole wins if both tables have such a column, then the first "=" that
    parts it into two columns that there are.

    >>> import pandas as pd
    >>> left, right = pd.DataFrame(columns=["a=b", "c"]), pd.DataFrame(columns=["a=b", "d"])
    >>> [split_columns(text, left, right) for text in ("a=b", "a=b=d", "c=d", "c")]
    [('a=b', 'a=b'), ('a=b', 'd'), ('c', 'd'), ('c', 'c')]
    """
    pieces = text.split("=")
    splits = [("=".join(pieces[:place]), "=".join(pieces[place:])) for place in range(1, len(pieces))]
    for left, right in ((text, text), *splits):
        if left in reference.columns and right in query.columns:
            return left, right
    return splits[0] if splits else (text, text)


def sides_of(id_column: IdColumn) -> tuple[str | None, str | None]:
    """The id columns asked for of the reference and the query table; one name stands for both."""
    return (None, None) if id_column is None else _pair(id_column, "id")


def _pair(columns: object, argument: str) -> tuple[str, str]:
    """A column name, or the names of a reference and a query column, as a pair."""
    if isinstance(columns, str):
        return columns, columns
    match columns:
        case (str() as left, str() as right):
            return left, right
    raise UsageError(f"{argument} holds {columns!r}; expected a column name or (reference column, query column)")


def require_column(frame: pd.DataFrame, name: str, role: str, asked_by: str | None = None) -> None:
    """Raise a UsageError that suggests what to name instead if the frame has no such column.

    `asked_by` is the argument that names the column, if the caller can name another.
    """
    if name not in frame.columns:
        remedy = _instead(name, [str(column) for column in frame.columns])
        message = f"{role} has no column {name!r}"
        raise UsageError(f"{asked_by}: {message}" if asked_by else message, argument=role, column=name, remedy=remedy)


def _instead(name: str, names: list[str]) -> str:
    # A comma within a name is common.
    able = [mark for mark in DELIMITERS if mark != "," or len(names) == 1]
    mark = next((mark for mark in able if any(mark in column for column in names)), None)
    if mark is not None:
        return (
            f"its {'only column is' if len(names) == 1 else 'columns are'} {_listed(map(repr, names))}: the cells seem "
            f"to be separated by {DELIMITERS[mark]}, but not as many on every line; give every line as many cells as "
            f"the header, or name what separates them, such as --delimiter {'tab' if mark == chr(9) else repr(mark)}"
        )
    folded = {column.strip().casefold(): column for column in reversed(names)}
    near = [folded[match] for match in difflib.get_close_matches(name.strip().casefold(), folded)]
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"its columns are {_listed(names)}"


def _listed(names: Iterable[str]) -> str:
    first = list(islice(names, _NAMES_SHOWN + 1))
    return f"{', '.join(first[:_NAMES_SHOWN])}{', …' if len(first) > _NAMES_SHOWN else ''}"


def choose_id(frame: pd.DataFrame, role: str, name: str | None) -> str:
    """The id column: as named, else `id`, else the first column whose values are present and unique.

    >>> import pandas as pd
    >>> choose_id(pd.DataFrame({"name": ["a", "a"], "code": [7, 9]}), "query", None)
    'code'
    """
    if name is not None:
        require_column(frame, name, role, "id")
        return name
    if "id" in frame.columns:
        return "id"
    found = _unique_column(frame)
    if found is not None:
        return found
    raise DataError(
        f"{role} has no column `id` and no column whose values are present and unique",
        argument=role,
        remedy="name an id column",
    )


def _unique_column(frame: pd.DataFrame) -> str | None:
    """The first column that names every row."""
    columns = (str(column) for column in frame.columns)
    return next((column for column in columns if frame[column].notna().all() and frame[column].is_unique), None)
