"""What a run of a pipeline is asked to do: the parameters that the flows' forms show. None can hold a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, field_validator

from fuzzyjoin.search import LearningSettings
from tasks.ingestion.sources import InputSource
from tasks.pages.forms import FormSettings, form
from tasks.validation.check_settings import InputSettings, OutputSettings
from tasks.warehouse.connection import URL_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Checks",
    "ColumnPair",
    "Conduct",
    "Method",
    "PipelineName",
    "Privacy",
    "Publish",
    "ReviewSettings",
    "Search",
    "Space",
    "SpaceChoice",
    "Tables",
    "Warehouse",
]


OWN_PREFIX: Final = "fuzzyjoin_"


class Settings(FormSettings):
    """Settings that a form shows: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=form)


PipelineName: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[\w.-]+$",
        description="Name of the recurring match job. Its matches, programs and decisions stand under it.",
    ),
]

Method: TypeAlias = Literal["auto", "autofj"]
Space: TypeAlias = Literal["small", "medium", "large"] | None
SpaceChoice: TypeAlias = Literal["default", "small", "medium", "large"]

ColumnPair: TypeAlias = Annotated[str, Field(pattern=r"^[^=]+(=[^=]+)?$")]
"""A column's name, or `reference column=query column` where the names differ."""


class Tables(Settings):
    """Which tables are joined, and on what.

    Examples
    --------
    >>> tables = Tables.model_validate({
    ...     "reference": {"kind": "file", "path": "malls.csv"}, "query": {"kind": "file", "path": "typed.csv"},
    ...     "compare": ["name=title", "city"]})
    >>> tables.pairs
    [('name', 'title'), ('city', 'city')]
    """

    reference: InputSource = Field(description="The clean list, nearly free of duplicates.")
    query: InputSource = Field(description="The rows to look up in it.")
    # Not `on`: that reads as true in YAML.
    compare: tuple[ColumnPair, ...] = Field(
        min_length=1,
        description="Columns to compare; write reference=query where the names differ.",
    )
    equal: tuple[ColumnPair, ...] = Field(
        default=(),
        description=(
            "Columns whose values must be equal, case set aside; write reference=query where the names differ. A row "
            "is compared with reference rows of the same value alone; an empty value equals nothing."
        ),
    )
    reference_id: str = Field(
        default="",
        description="Id column of the reference table. If empty: id, else the first column without repeated values.",
    )
    query_id: str = Field(
        default="", description="Id column of the query table. If empty: id, else the first without repeated values."
    )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs of (reference column, query column) to compare."""
        return _pairs(self.compare)

    def columns(self, role: Literal["reference", "query"]) -> list[str]:
        """The compared columns of one of the tables, one a pair."""
        return [pair[role == "query"] for pair in self.pairs]

    def equal_columns(self, role: Literal["reference", "query"]) -> list[str]:
        """The columns of one of the tables whose values must be equal, one a pair."""
        return [pair[role == "query"] for pair in _pairs(self.equal)]


def _pairs(named: Iterable[str]) -> list[tuple[str, str]]:
    return [(left, right or left) for left, _, right in (pair.partition("=") for pair in named)]


class Search(Settings):
    """How a program is searched."""

    precision_target: float = Field(
        default=0.9, gt=0.0, lt=1.0, description="Share of matches that should be right, between 0 and 1."
    )
    min_probability: float = Field(
        default=0.5,
        ge=0.0,
        lt=1.0,
        description=(
            "Match probability below which no row is joined, so that the matches can be more precise than the target. "
            "0 joins the largest set that meets the target. Not for autofj."
        ),
    )
    review_probability: float = Field(
        default=0.2,
        ge=0.0,
        lt=1.0,
        description=(
            "Match probability from which a row that is not joined is worth a person's look. It changes nothing that "
            "is joined. Not for autofj."
        ),
    )
    method: Method = Field(
        default="auto", description="autofj is the published algorithm, auto whatever measures best."
    )
    space: SpaceChoice = Field(
        default="default",
        description="Join functions to try: 14, 68 or 136; by default auto uses a trained scorer, autofj tries 14.",
    )
    negative_rules: bool = Field(
        default=True, description="Learn pairs of words that make two records different, such as north/south."
    )

    keep_placeholders: bool = Field(
        default=False,
        description=(
            'Compare texts such as "N/A" and "-" like any other. If not, those that the data show to be placeholders '
            "are read as missing; the program keeps which."
        ),
    )

    @property
    def named_space(self) -> Space:
        """The space as the library takes it: none for the method's own."""
        return None if self.space == "default" else self.space

    @property
    def by_scorer(self) -> bool:
        """Whether a scorer decides; a union of configurations has no match probabilities."""
        return self.method == "auto" and self.named_space is None

    def learning_settings(self) -> LearningSettings:
        """How to learn, as the library takes it."""
        return LearningSettings.of(
            self.method,
            self.named_space,
            self.precision_target,
            negative_rules=self.negative_rules,
            min_probability=self.min_probability if self.by_scorer else None,
            review_probability=self.review_probability if self.by_scorer else None,
        )

    def rows_learned_on(self, query_rows: int) -> int:
        """How many query rows are learned on, of so many."""
        return self.learning_settings().rows_learned_on(query_rows)


class Checks(Settings):
    """What is expected of the inputs and of the matches."""

    reference: InputSettings = Field(default=InputSettings(), description="Expectations on the reference table.")
    query: InputSettings = Field(default=InputSettings(), description="Expectations on the query table.")
    matches: OutputSettings = Field(default=OutputSettings(), description="Expectations on the matches.")


class Privacy(Settings):
    """Whose values may be seen where."""

    shown_columns: tuple[str, ...] = Field(
        default=(),
        description=(
            "Columns whose values may appear on a run's page and in logs. All others are masked, the ids excepted."
        ),
    )
    evidence: Literal["all compared columns", "shown columns only"] = Field(
        default="all compared columns",
        description="Which values the warehouse keeps beside a match, as the evidence it was made from.",
    )


class Conduct(Settings):
    """How a run behaves."""

    promotion: Literal["as set before", "automatic", "review"] = Field(
        default="as set before",
        description=(
            "automatic: a newly learned program is used at once. review: it is proposed, and the current one stays "
            "in use until a person approves. A new pipeline is automatic unless set otherwise."
        ),
    )
    replacement: Literal["if it does better", "always"] = Field(
        default="if it does better",
        description=(
            "Under automatic promotion: whether a newly learned program replaces one that was learned in the same way "
            "and still does as well, its estimate at most 0.01 below the target and its matches at most 5 % fewer. A "
            "few changed rows move every threshold a little, and another program writes every match again."
        ),
    )
    asked_by: str = Field(
        default="",
        max_length=200,
        description="Who asks for this run, for the auditor; if empty, the schedule or deployment it came from.",
    )
    wait_seconds: float = Field(
        default=600.0, ge=0.0, description="How long to wait while another run of the same pipeline works."
    )
    partition_rows: int = Field(
        default=20_000,
        ge=1,
        description=(
            "Query rows that are joined at a time. Fewer take less memory, and less is done again where a worker is "
            "lost; every partition costs a task. The matches do not depend on it."
        ),
    )
    keep_days: int = Field(
        default=0,
        ge=0,
        description=(
            "Days that the runs' snapshots of their inputs are kept; after that a run cannot be replayed. 0: for ever."
        ),
    )


class Publish(Settings):
    """What a run puts into the warehouse for others to read, beside the matches.

    Examples
    --------
    >>> Publish(joined="malls_joined").joined
    'malls_joined'
    """

    joined: str = Field(
        default="",
        max_length=63,
        pattern="^([a-z_][a-z0-9_]*)?$",
        description=(
            "Name of a table in the warehouse that holds both tables side by side, every query row beside its match. "
            "If empty: none. Small letters, digits and underscores; not fuzzyjoin_…"
        ),
    )

    @field_validator("joined")
    @classmethod
    def _not_of_the_warehouse(cls, name: str) -> str:
        if name.startswith(OWN_PREFIX):
            raise ValueError(f"names that begin with {OWN_PREFIX} are the warehouse's own; choose another")
        return name


class ReviewSettings(Settings):
    """How a person is asked."""

    shown_columns: tuple[str, ...] = Field(
        default=(),
        description="Columns whose words may be shown: a program's rules hold some if all its columns are named here.",
    )
    wait_seconds: int = Field(
        default=7 * 24 * 3600, ge=1, description="How long to wait for an answer; after that the run fails."
    )


class Warehouse(Settings):
    """Where the matches go. The URL itself is never a parameter: it may hold a password."""

    url_variable: str = Field(
        default=URL_VARIABLE,
        min_length=1,
        description=(
            "Name of the environment variable that holds the warehouse's URL: sqlite:///FILE, "
            "postgresql://USER@HOST/DATABASE or duckdb:///FILE. If it is not set, a SQLite file in the working folder."
        ),
    )
    url_block: str = Field(
        default="", description="Name of a Prefect Secret block that holds the URL instead; empty for none."
    )
