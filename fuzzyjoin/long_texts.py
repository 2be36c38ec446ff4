"""Long texts: how many of their characters are compared one by one, and what stands for the rest.

Character distances take time in proportion to the product of both lengths. So they look at the head of each text, its
first `MOST_CHARACTERS`. Where a text of a pair is longer, the tail counts by the 3-grams that the whole texts share, in
linear time: the distance is the mean of both, weighted by the lengths of head and tail. It does not jump as a text
outgrows the bound, two texts that only begin alike are not equal, and a pair's distance depends on that pair alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.kernels.set_distances import bag_distances
from fuzzyjoin.texts import object_array

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int64Array
    from fuzzyjoin.tokens import Sets

__all__ = ["MOST_CHARACTERS", "LongPairs", "long_pairs"]

MOST_CHARACTERS: Final = 1000
"""Characters of a text that are compared one by one.

Far more than a title or a name has (on AutoFJ-50 at most 149), and more than whole rows of public tables of products,
papers, people and places (at most 864): what is joined well now is compared as it was. What is longer is a description,
and comparing two of 20,000 characters whole takes 400 times as long as comparing their heads.
"""


@dataclass(frozen=True, eq=False)
class LongPairs:
    """The pairs of which at least one text is longer than `MOST_CHARACTERS`.

    Attributes
    ----------
    places
        Their positions among all pairs, (long pairs,).
    lengths
        Characters of the longer text, (long pairs,).
    disjoint, outside
        Distances of their 3-grams in [0, 1] (see `bag_distances`), (long pairs,).
    """

    places: Int64Array
    lengths: Int64Array
    disjoint: Float64Array
    outside: Float64Array

    def heads(self, texts: np.ndarray) -> np.ndarray:
        """The texts of all pairs, those of long pairs cut to their first `MOST_CHARACTERS`."""
        if not self.places.size:
            return texts
        texts = texts.copy()
        texts[self.places] = object_array([text[:MOST_CHARACTERS] for text in texts[self.places]])
        return texts

    def add_tails(self, distances: Float64Array, tails: Float64Array) -> None:
        """Turn heads' distances in [0, 1], (pairs,), into those of whole texts; `tails` is `disjoint` or `outside`."""
        share = MOST_CHARACTERS / self.lengths
        distances[self.places] = share * distances[self.places] + (1.0 - share) * tails

    def add_edits(self, edits: Float64Array) -> None:
        """Turn heads' edits, (pairs,), into those of whole texts: of the tail's characters the share `disjoint`."""
        edits[self.places] += (self.lengths - MOST_CHARACTERS) * self.disjoint


def long_pairs(
    lengths: Int64Array, asking: Int64Array, references: Int64Array, asking_grams: Sets, reference_grams: Sets
) -> LongPairs:
    """Find the long ones of some pairs.

    Parameters
    ----------
    lengths
        Characters of each pair's longer text, (pairs,).
    asking, references
        The rows of each pair, (pairs,).
    asking_grams, reference_grams
        3-grams of the rows of both sides.
    """
    places = np.flatnonzero(lengths > MOST_CHARACTERS)
    disjoint, outside = bag_distances(
        asking[places], references[places].astype(np.int64), *asking_grams, *reference_grams
    )
    return LongPairs(places, lengths[places], disjoint, outside)
