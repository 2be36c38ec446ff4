"""Many texts as one array of bytes: taken by position, compact, and as good from a file as from memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from fuzzyjoin.kernels.csr import rows_of_two

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fuzzyjoin.kernels.types import Int64Array, UInt8Array

__all__ = ["Texts", "object_array"]

DECODED_AT_ONCE = 4096


def object_array(texts: Sequence[str]) -> np.ndarray:
    """Texts as a numpy array of objects, so that rows can be taken by position."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


@dataclass(frozen=True, eq=False)
class Texts(Sequence[str]):
    """A sequence of texts; text i is content[offsets[i]:offsets[i + 1]] in UTF-8.

    Examples
    --------
    >>> import numpy as np
    >>> towns = Texts.of(["Bergen", "", "Tromsø"])
    >>> towns[2], towns[np.array([2, 0, 2])].tolist()
    ('Tromsø', ['Tromsø', 'Bergen', 'Tromsø'])
    """

    content: UInt8Array
    offsets: Int64Array

    @classmethod
    def of(cls, texts: Sequence[str] | np.ndarray) -> Texts:
        """Lay texts out."""
        if isinstance(texts, Texts):
            return texts
        joined = "".join(texts)
        content = joined.encode("utf-8", "surrogatepass")
        offsets = np.zeros(len(texts) + 1, np.int64)
        if len(content) == len(joined):
            sizes = [len(text) for text in texts]
        else:
            sizes = [len(text.encode("utf-8", "surrogatepass")) for text in texts]
        np.cumsum(sizes, out=offsets[1:])
        # A copy, because an array over bytes can only be read, and kernels are compiled for one kind of array.
        return cls(np.frombuffer(content, np.uint8).copy(), offsets)

    def __len__(self) -> int:
        return int(self.offsets.size) - 1

    @overload
    def __getitem__(self, rows: int) -> str: ...
    @overload
    def __getitem__(self, rows: slice) -> list[str]: ...
    @overload
    def __getitem__(self, rows: np.ndarray) -> np.ndarray: ...
    def __getitem__(self, rows: int | slice | np.ndarray) -> str | list[str] | np.ndarray:
        """One text by its position, or several; for an array of positions as an array of objects."""
        if isinstance(rows, slice):
            return self._decoded(self.offsets[:-1][rows], self.offsets[1:][rows])
        if isinstance(rows, np.ndarray):
            return self._taken(rows)
        if not -len(self) <= rows < len(self):
            raise IndexError(f"text {rows} of {len(self)}")
        row = rows % len(self)
        return str(self.content[self.offsets[row] : self.offsets[row + 1]].data, "utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        """All texts, one after the other."""
        for start in range(0, len(self), DECODED_AT_ONCE):
            yield from self[start : start + DECODED_AT_ONCE]

    def tolist(self) -> list[str]:
        """All texts."""
        return self._decoded(self.offsets[:-1], self.offsets[1:])

    def merged(self, other: Texts, rows: Int64Array) -> Texts:
        """Texts of two sequences, one behind the other, in the order of `rows`, which are positions in the two.

        >>> import numpy as np
        >>> Texts.of(["Bergen", "Oslo"]).merged(Texts.of(["Lund"]), np.array([0, 2, 1])).tolist()
        ['Bergen', 'Lund', 'Oslo']
        """
        offsets, content = rows_of_two(self.offsets, self.content, other.offsets, other.content, rows)
        return Texts(content, offsets)

    def _taken(self, rows: np.ndarray) -> np.ndarray:
        # Candidates repeat: every text is decoded once.
        distinct, places = np.unique(rows, return_inverse=True)
        return object_array(self._decoded(self.offsets[distinct], self.offsets[distinct + 1]))[places]

    def _decoded(self, starts: Int64Array, ends: Int64Array) -> list[str]:
        content = self.content.data
        return [
            str(content[start:end], "utf-8", "surrogatepass")
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
