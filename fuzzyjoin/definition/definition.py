"""The definition of a program: everything that decides a match, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fuzzyjoin.blocking import NegativeRules
from fuzzyjoin.compare import JoinFunction
from fuzzyjoin.errors import DataError
from fuzzyjoin.tables import folded

if TYPE_CHECKING:
    from fuzzyjoin.blocking import BlockerName
    from fuzzyjoin.tables import KeyTable, Missing

__all__ = [
    "REVIEW_PROBABILITY",
    "Blocking",
    "Column",
    "Configuration",
    "CustomFunctionName",
    "Decision",
    "Definition",
    "Equal",
    "Part",
    "Scorer",
    "Union",
]

BUILT_IN = ("lexical", "cosine")
"""Names of the built-in blockers: the paper's, and the one that scorers use (see `fuzzyjoin.blocking`)."""

REVIEW_PROBABILITY = 0.2
"""Match probability from which a row that is not joined is worth a person's look, unless another is named."""

RULE = "^[^/]+/[^/]+$"
"""What a negative rule looks like (see `fuzzyjoin.blocking.negative_rules.NegativeRules`)."""


class Part(BaseModel):
    """A part of a program: immutable, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _folded_and_ascending(missing: tuple[str, ...]) -> tuple[str, ...]:
    if list(missing) != sorted({folded(text) for text in missing} - {""}):
        raise ValueError(f"missing holds {missing}; placeholders are folded, and ascend")
    return missing


Placeholders: TypeAlias = Annotated[tuple[str, ...], AfterValidator(_folded_and_ascending)]
"""Texts that are read as missing in both columns of a pair."""


class Column(Part):
    """A pair of compared columns. One of weight 0 takes part in blocking and negative rules only.

    `missing` holds the placeholders that are read as missing in both, folded (see `fuzzyjoin.tables.placeholders`),
    ascending. A program without any has no such key.
    """

    reference: str
    query: str
    weight: float = Field(ge=0.0, le=1.0)
    missing: Placeholders = Field(default=(), exclude_if=lambda value: not value)


class Equal(Part):
    """A pair of columns whose values must be equal, case and surrounding spaces set aside; see `Column` for `missing`.

    A value that is missing equals nothing.
    """

    reference: str
    query: str
    missing: Placeholders = Field(default=(), exclude_if=lambda value: not value)


class Blocking(Part):
    """How candidate pairs are found: a built-in blocker with its k, or a user's by name (then k is null).

    Reference rows whose compared values are equal are one candidate if `equal_rows` are "merged". To programs of 0.1.0
    they are several, each other's rivals; their files have no such key.
    """

    method: str = BUILT_IN[0]
    k: int | None = Field(default=None, ge=1)
    equal_rows: Literal["separate", "merged"] = Field(default="separate", exclude_if=lambda value: value == "separate")

    @model_validator(mode="after")
    def _k_goes_with_the_built_in_blocker(self) -> Blocking:
        if (self.method in BUILT_IN) != (self.k is not None):
            raise ValueError(
                f"k is {self.k} with method {self.method!r}; the blockers {', '.join(BUILT_IN)} and no others need k"
            )
        return self


class CustomFunctionName(Part):
    """Stands for a join function of the user's own, which `apply` must be given again."""

    custom: str


class Configuration(Part):
    """A join function and the largest distance at which it joins."""

    join_function: JoinFunction | CustomFunctionName
    threshold: float = Field(ge=0.0)

    @property
    def function_name(self) -> str:
        """The join function's name."""
        function = self.join_function
        return function.custom if isinstance(function, CustomFunctionName) else function.name


class Union(Part):
    """A union of configurations: a query row is joined by any of them, the most probable match stands."""

    kind: Literal["union"] = "union"
    configurations: tuple[Configuration, ...]


class Scorer(Part):
    """A trained scorer, named by hash, with its frozen prior and decision threshold.

    A query row is joined to its best candidate if that one's score, scaled to (0, 1), reaches `threshold`, and its
    match probability `min_probability`; a null threshold joins nothing. `prior` is the share of query rows whose best
    candidate was estimated to be wrong. A program of 0.1.0 has no `min_probability`: it joins whatever reaches the
    threshold. Rows that are not joined but whose best candidate's match probability is at least `review_probability`
    are for a person to review.
    """

    kind: Literal["scorer"] = "scorer"
    name: str
    hash: str
    prior: float = Field(ge=0.0, le=1.0)
    threshold: float | None = Field(ge=0.0, le=1.0)
    min_probability: float | None = Field(default=None, ge=0.0, lt=1.0, exclude_if=lambda value: value is None)
    review_probability: float = Field(
        default=REVIEW_PROBABILITY, ge=0.0, lt=1.0, exclude_if=lambda value: value == REVIEW_PROBABILITY
    )

    @property
    def floor(self) -> float:
        """The least match probability at which a row is joined, in [0, 1)."""
        return self.min_probability or 0.0


Decision = Annotated[Union | Scorer, Field(discriminator="kind")]


class Definition(Part):
    """Everything that decides a match, and nothing else.

    Where a scorer decides, `calibration` holds `adjustment`, what is added to the trees' scores (see
    `fuzzyjoin.scoring.adjustment`), `probabilities`, the chance that a match is right at each score of
    `fuzzyjoin.scoring.densities.GRID`, ascending, and `between_task_sd`, the between-task standard deviation of the
    log-odds of their mean.

    A row's candidates are equal to it in all pairs of columns in `equal`. A program without any has no such key.
    """

    columns: tuple[Column, ...] = Field(min_length=1)
    equal: tuple[Equal, ...] = Field(default=(), exclude_if=lambda value: not value)
    blocking: Blocking
    negative_rules: tuple[Annotated[str, Field(pattern=RULE)], ...]
    decision: Decision
    calibration: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _some_column_counts(self) -> Definition:
        if not any(column.weight for column in self.columns):
            raise ValueError("columns all have weight 0; one must count")
        return self

    @model_validator(mode="after")
    def _rules_are_ascending(self) -> Definition:
        for first, second in zip(*self.rules().sides(), strict=True):
            if first >= second:
                raise ValueError(f"negative_rules holds {first}/{second}; the words of a rule ascend")
        return self

    @property
    def probabilities(self) -> tuple[float, ...]:
        """The frozen probabilities of a scorer's program.

        Raises
        ------
        DataError
            If `calibration` holds none.
        """
        values = (self.calibration or {}).get("probabilities")
        if not isinstance(values, list) or not all(
            isinstance(value, float) and 0.0 <= value <= 1.0 for value in values
        ):
            raise DataError("the program's calibration holds no probabilities; learn it again")
        return tuple(values)

    @property
    def between_task_sd(self) -> float:
        """The frozen between-task standard deviation of a scorer's program, 0 or more.

        Raises
        ------
        DataError
            If `calibration` holds none.
        """
        value = (self.calibration or {}).get("between_task_sd")
        if not isinstance(value, float) or value < 0.0:
            raise DataError("the program's calibration holds no between_task_sd; learn it again")
        return value

    @property
    def adjustment(self) -> Any:  # noqa: ANN401 - checked by those who know the features
        """What `calibration` holds as the adjustment of a scorer's program, None if it holds none."""
        return (self.calibration or {}).get("adjustment")

    def rules(self) -> NegativeRules:
        """The negative rules, as the join uses them."""
        return NegativeRules(self.negative_rules)

    @property
    def built_in_blocker(self) -> BlockerName:
        """The built-in blocker; with a blocker of the user's own it only weighs and indexes."""
        return "cosine" if isinstance(self.decision, Scorer) else "lexical"

    @property
    def weights(self) -> tuple[float, ...]:
        """What each column counts, in [0, 1]."""
        return tuple(column.weight for column in self.columns)

    @property
    def missing(self) -> Missing:
        """For each of `columns_read` the placeholders that are read as missing; none for no pair."""
        found = tuple(column.missing for column in self.columns_read)
        return found if any(found) else ()

    @property
    def columns_read(self) -> tuple[Column | Equal, ...]:
        """All pairs of columns that are read: those that are compared, then those that must be equal."""
        return *self.columns, *self.equal

    def with_missing(self, missing: Missing) -> Definition:
        """The definition that reads these placeholders as missing; what is learned does not know of them."""
        if not missing:
            return self
        columns = zip(self.columns_read, missing, strict=True)
        read = tuple(column.model_copy(update={"missing": words}) for column, words in columns)
        compared = len(self.columns)
        return self.model_copy(update={"columns": read[:compared], "equal": read[compared:]})

    @property
    def reachable(self) -> bool:
        """Whether the precision target could be reached at all; if not, nothing is joined."""
        decision = self.decision
        return bool(decision.configurations) if isinstance(decision, Union) else decision.threshold is not None

    def candidates_of(self, reference: KeyTable) -> KeyTable:
        """The reference table as the program looks at it: with one row a key, or with all rows."""
        return reference.distinct() if self.blocking.equal_rows == "merged" else reference
