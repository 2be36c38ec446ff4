"""A csv reader of one's own: the limit on a cell's length of the module `csv` is shared by the whole process."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterable

__all__ = ["CsvError", "csv_reader"]

_LONGEST_CELL: Final = 2**31 - 1
"""The greatest limit that every platform takes."""


def _own_copy() -> Any:  # noqa: ANN401 - a module made here
    """Load the compiled module a second time: its limit is part of its own state, which nobody else reaches."""
    spec = find_spec("_csv")
    if spec is None or spec.loader is None:
        raise ImportError("the interpreter has no module _csv; install a complete Python")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_CSV: Final = _own_copy()
_CSV.field_size_limit(_LONGEST_CELL)

CsvError: Final[type[Exception]] = _CSV.Error
"""What the reader raises where text is no CSV."""


def csv_reader(lines: Iterable[str], separator: str) -> Reader:
    r"""Read lines strictly; a cell may be as long as memory allows, whatever the limit of the module `csv`.

    Examples
    --------
    >>> list(csv_reader(["a;b\n", '"c;c";\n'], ";"))
    [['a', 'b'], ['c;c', '']]
    """
    reader: Reader = _CSV.reader(lines, delimiter=separator, strict=True)
    return reader
