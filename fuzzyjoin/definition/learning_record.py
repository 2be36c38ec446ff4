"""What a program was learned on, and how precise it was estimated to be."""

from __future__ import annotations

from pydantic import Field

from fuzzyjoin.definition.definition import Part

__all__ = ["LearningRecord", "PrecisionEstimate", "QuerySample", "TableRecord"]


class PrecisionEstimate(Part):
    """An estimate of the share of correct matches, with its interval where the method has one.

    `value` is null if nothing is joined; `low`, `high` and `level` are null where `calibrated` is false.
    """

    value: float | None = Field(default=None, ge=0.0, le=1.0)
    low: float | None = Field(default=None, ge=0.0, le=1.0)
    high: float | None = Field(default=None, ge=0.0, le=1.0)
    level: float | None = Field(default=None, gt=0.0, lt=1.0)
    calibrated: bool = False


class TableRecord(Part):
    """A table that a program was learned on. The fingerprint ignores the order of the rows."""

    fingerprint: str
    rows: int
    distinct_keys: int
    filled: tuple[float, ...]
    median_length: tuple[float, ...]


class QuerySample(Part):
    """The query rows that a program was learned on, where those were not all: how many, and the seed that drew them."""

    rows: int = Field(ge=1)
    seed: int


class LearningRecord(Part):
    """What a program was learned on, with which settings, and what was estimated.

    `estimates` holds further views of the precision by name; `warnings` what the user should know of them. Where
    `query_sample` is given, the estimates and `joined` are those of the sampled query rows; `query` tells of the whole
    table. A program learned on all query rows has no such key in its file.
    """

    method: str
    space: str
    join_functions: int
    precision_target: float
    precision_estimate: PrecisionEstimate
    estimates: dict[str, PrecisionEstimate] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    joined: int
    reference: TableRecord
    query: TableRecord
    query_sample: QuerySample | None = Field(default=None, exclude_if=lambda value: value is None)
    versions: dict[str, str]

    @property
    def learned_rows(self) -> int:
        """How many query rows the program was learned on."""
        return self.query_sample.rows if self.query_sample else self.query.rows

    @property
    def joined_share(self) -> float:
        """The share of the query rows learned on that the program joined, in [0, 1]."""
        return self.joined / self.learned_rows
