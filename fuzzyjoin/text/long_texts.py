"""Long texts: how many of their characters are compared one by one, and what stands for the rest.

Character distances take time in proportion to the product of both lengths. So they look at the heads of two texts, at
most their first `MOST_CHARACTERS`. Where a text is longer, the tail counts by the 3-grams that the whole texts share,
in linear time: the distance is the mean of both, weighted by the lengths of head and tail. The longer the text, the
shorter the head: the little that it would still weigh is not worth the time. The distance does not jump as a text
outgrows the bound, two texts that only begin alike are not equal, and it depends on the two texts alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.kernels.set_distances import bag_distances
from fuzzyjoin.text.text_array import object_array

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array
    from fuzzyjoin.text.tokens import Sets

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
    head_lengths
        Characters of its head, `MOST_CHARACTERS`² / `lengths`, (long pairs,).
    disjoint, outside
        Distances of their 3-grams in [0, 1] (see `bag_distances`), (long pairs,).
    """

    places: Int64Array
    lengths: Int64Array
    head_lengths: Int64Array
    disjoint: Float64Array
    outside: Float64Array

    def heads(self, texts: np.ndarray) -> np.ndarray:
        """The texts of all pairs, those of long pairs cut to their heads."""
        if not self.places.size:
            return texts
        texts = texts.copy()
        cut = zip(texts[self.places], self.head_lengths.tolist(), strict=True)
        texts[self.places] = object_array([text[:length] for text, length in cut])
        return texts

    def add_tails(self, distances: Float64Array, tails: Float64Array) -> None:
        """Turn heads' distances in [0, 1], (pairs,), into those of whole texts; `tails` is `disjoint` or `outside`."""
        share = self.head_lengths / self.lengths
        distances[self.places] = share * distances[self.places] + (1.0 - share) * tails

    def add_edits(self, edits: Float64Array) -> None:
        """Turn heads' edits, (pairs,), into those of whole texts: of the tail's characters the share `disjoint`."""
        edits[self.places] += (self.lengths - self.head_lengths) * self.disjoint


def long_pairs(
    lengths: Int64Array, asking: Int64Array, references: Int32Array, asking_grams: Sets, reference_grams: Sets
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
    longer = lengths[places]
    return LongPairs(places, longer, MOST_CHARACTERS**2 // np.maximum(longer, 1), disjoint, outside)
