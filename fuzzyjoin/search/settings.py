"""How to learn: the caller's arguments, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzyjoin.blocking import default_k, scorer_k
from fuzzyjoin.compare import resolve_space
from fuzzyjoin.definition import REVIEW_PROBABILITY
from fuzzyjoin.errors import UsageError
from fuzzyjoin.search.query_sample import SAMPLE_ROWS

if TYPE_CHECKING:
    from fuzzyjoin.blocking import BlockerName
    from fuzzyjoin.compare import AnyJoinFunction, Space

__all__ = ["LearningSettings"]

METHODS = ("auto", "autofj")

MIN_PROBABILITY = 0.5
"""Match probability below which a scorer joins no row, unless another is named: such a row is rather wrong."""

DEFAULT_SPACE = "small"
"""The space that autofj searches unless another is named."""

SCORER_SPACE = "scorer"
"""What a learning record says in place of a space where a scorer decides."""


@dataclass(frozen=True)
class LearningSettings:
    """How to learn, checked once.

    Attributes
    ----------
    method
        "auto" or "autofj".
    space_name
        "small", "medium", "large", or "custom" for a dict or list of the user's; "scorer" where a scorer decides.
    functions
        The join functions to search; none where a scorer decides.
    precision_target
        In (0, 1).
    negative_rules
        Whether to learn and apply negative rules.
    min_probability
        Match probability below which no row is joined where a scorer decides, in [0, 1).
    review_probability
        Match probability from which an unmatched row is worth a person's look where a scorer decides, in [0, 1).
    sample_rows
        Query rows to learn on, at most, where a scorer decides; the search takes all.
    sample_seed
        What the sample is drawn by, if the query table has more rows.
    """

    method: str
    space_name: str
    functions: tuple[AnyJoinFunction, ...]
    precision_target: float
    negative_rules: bool
    min_probability: float = 0.0
    review_probability: float = REVIEW_PROBABILITY
    sample_rows: int = SAMPLE_ROWS
    sample_seed: int = 0

    @classmethod
    def of(
        cls,
        method: str,
        space: Space | None,
        precision_target: float,
        *,
        negative_rules: bool,
        min_probability: float | None = None,
        review_probability: float | None = None,
    ) -> LearningSettings:
        """Check the caller's arguments; no probability stands for `MIN_PROBABILITY` or `REVIEW_PROBABILITY`.

        Raises
        ------
        UsageError
            If an argument is out of range or unknown.
        """
        if method not in METHODS:
            raise UsageError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
        if not 0.0 < precision_target < 1.0:
            raise UsageError(f"precision_target is {precision_target}; expected a share between 0 and 1, such as 0.9")
        asked = {"min_probability": min_probability, "review_probability": review_probability}
        given = {name: float(value) for name, value in asked.items() if value is not None}
        for name, value in given.items():
            if not 0.0 <= value < 1.0:
                raise UsageError(f"{name} is {value}; expected a probability of at least 0 and below 1, such as 0.5")
        if method == "auto" and space is None:
            return cls(
                method,
                SCORER_SPACE,
                (),
                precision_target,
                negative_rules=False,
                min_probability=given.get("min_probability", MIN_PROBABILITY),
                review_probability=given.get("review_probability", REVIEW_PROBABILITY),
            )
        for name, value in given.items():
            raise UsageError(
                f"{name} is {value}, but a union of configurations decides, whose number for a match is "
                f"1 / (1 + neighbours) and no match probability; leave {name} out, or ask for method auto without a "
                "space"
            )
        space = DEFAULT_SPACE if space is None else space
        name = space if isinstance(space, str) else "custom"
        return cls(method, name, resolve_space(space), precision_target, negative_rules)

    def blocking(self, reference_rows: int) -> tuple[BlockerName, int]:
        """The built-in blocker that goes with the settings, and how many candidates a row it keeps."""
        if self.by_scorer:
            return "cosine", scorer_k(reference_rows)
        return "lexical", default_k(reference_rows)

    def rows_learned_on(self, query_rows: int) -> int:
        """How many query rows are learned on, of so many."""
        return min(query_rows, self.sample_rows) if self.by_scorer else query_rows

    @property
    def by_scorer(self) -> bool:
        """Whether a scorer decides; else a union of configurations is searched."""
        return self.space_name == SCORER_SPACE
