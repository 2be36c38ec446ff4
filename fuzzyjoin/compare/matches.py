"""What was decided for every query row, in positions, by a union of configurations or a scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzyjoin.kernels.neighbours import ONE

if TYPE_CHECKING:
    import numpy as np

    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["Matches", "Tally"]


@dataclass(frozen=True)
class Tally:
    """What a union's estimate of precision is made of; tallies of batches of query rows add up.

    Every pair that some configuration joins counts, the probability of the match that stands counts as true: `mass` is
    the sum of these probabilities, in units of 1 / `ONE`, `pairs` the number of pairs.
    """

    mass: int
    pairs: int

    @property
    def precision_estimate(self) -> float | None:
        """Estimated precision of the whole; None if nothing is joined."""
        return float(self.mass) / (float(self.pairs) * float(ONE)) if self.pairs else None


@dataclass(frozen=True)
class Matches:
    """What a program decided for every query row; arrays of shape (query rows,).

    Attributes
    ----------
    joined
        Whether the row is joined.
    reference, distance
        The match and its distance; for a row that is not joined the candidate nearest to being let in. -1 and inf
        where there is no candidate.
    configuration
        Position of the configuration that joined the row or came nearest to it; -1 where there is no candidate. A
        scorer counts as configuration 0.
    runner_up, runner_up_distance
        The second nearest candidate under that configuration's join function; -1 and inf where there is none.
    probability
        Estimated probability that the match is right, in (0, 1]. Of a row that is not joined a scorer gives that of its
        best candidate, 0 where it has none; a union gives 0.
    tally
        What the union's own estimate of precision is made of; None where a scorer decides.
    """

    joined: np.ndarray
    reference: Int64Array
    distance: Float64Array
    configuration: Int64Array
    runner_up: Int64Array
    runner_up_distance: Float64Array
    probability: Float64Array
    tally: Tally | None = None
