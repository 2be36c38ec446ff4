"""The program as an artefact: what decides a match, in JSON, named by its content.

A program file has three parts: `program`, everything that decides a match; `program_id`, the SHA-256 of exactly that
part in canonical JSON; `learning_record`, what it was learned on and what was estimated. Loading executes nothing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fuzzyjoin.errors import DataError
from fuzzyjoin.compare.join_functions import JoinFunction
from fuzzyjoin.blocking.negative_rules import NegativeRules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking.blocked_pairs import BlockedPairs
    from fuzzyjoin.blocking.token_blocking import Blocker
    from fuzzyjoin.compare.join_functions import CustomJoinFunction
    from fuzzyjoin.joining.result_tables import JoinResult
    from fuzzyjoin.tables.key_table import IdColumn, KeyTable, Table
    from fuzzyjoin.threads import Progress

__all__ = [
    "SCHEMA_VERSION",
    "Blocking",
    "Column",
    "Configuration",
    "CustomFunctionName",
    "Decision",
    "LearningRecord",
    "PrecisionEstimate",
    "Program",
    "QuerySample",
    "Scorer",
    "TableRecord",
    "Union",
]

SCHEMA_VERSION = 1
BUILT_IN = ("lexical", "cosine")
"""Names of the built-in blockers: the paper's, and the one that scorers use (see `fuzzyjoin.blocking.token_blocking`)."""

RULE = "^[^/]+/[^/]+$"
"""What a negative rule looks like (see `fuzzyjoin.blocking.negative_rules.NegativeRules`)."""


class Part(BaseModel):
    """A part of a program: immutable, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Column(Part):
    """A pair of compared columns. One of weight 0 takes part in blocking and negative rules only."""

    reference: str
    query: str
    weight: float = Field(ge=0.0, le=1.0)


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
    """A trained scorer, named by hash, with its frozen prior and cut.

    A query row is joined to its best candidate if that one's score, scaled to (0, 1), reaches `cut`, and its match
    probability `min_probability`; a null cut joins nothing. `prior` is the share of query rows whose best candidate was
    estimated to be wrong. A program of 0.1.0 has no `min_probability`: it joins whatever reaches the cut.
    """

    kind: Literal["scorer"] = "scorer"
    name: str
    hash: str
    prior: float = Field(ge=0.0, le=1.0)
    cut: float | None = Field(ge=0.0, le=1.0)
    min_probability: float | None = Field(default=None, ge=0.0, lt=1.0, exclude_if=lambda value: value is None)

    @property
    def floor(self) -> float:
        """The least match probability at which a row is joined, in [0, 1)."""
        return self.min_probability or 0.0


Decision = Annotated[Union | Scorer, Field(discriminator="kind")]


class PrecisionEstimate(Part):
    """An estimate of the share of correct matches, with its interval where the method has one.

    `value` is null if nothing is joined; `low`, `high` and `level` are null where `calibrated` is false.
    """

    value: float | None = Field(default=None, ge=0.0, le=1.0)
    low: float | None = Field(default=None, ge=0.0, le=1.0)
    high: float | None = Field(default=None, ge=0.0, le=1.0)
    level: float | None = Field(default=None, gt=0.0, lt=1.0)
    calibrated: bool = False


class Definition(Part):
    """Everything that decides a match, and nothing else.

    Where a scorer decides, `calibration` holds `adjustment`, what is added to the trees' scores (see
    `fuzzyjoin.scoring.adjustment`), `probabilities`, the chance that a match is right at each score of
    `fuzzyjoin.scoring.densities.GRID`, ascending, and `spread`, how far their mean was off from task to task (standard
    deviation of its log-odds).
    """

    columns: tuple[Column, ...] = Field(min_length=1)
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
    def spread(self) -> float:
        """The frozen spread of a scorer's program, 0 or more.

        Raises
        ------
        DataError
            If `calibration` holds none.
        """
        value = (self.calibration or {}).get("spread")
        if not isinstance(value, float) or value < 0.0:
            raise DataError("the program's calibration holds no spread; learn it again")
        return value

    @property
    def adjustment(self) -> Any:  # noqa: ANN401 - checked by those who know the evidence
        """What `calibration` holds as the adjustment of a scorer's program, None if it holds none."""
        return (self.calibration or {}).get("adjustment")

    def rules(self) -> NegativeRules:
        """The negative rules, as the join uses them."""
        return NegativeRules(self.negative_rules)


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


class Program(Part):
    """A learned fuzzy-join program with its learning record.

    Examples
    --------
    >>> import pandas as pd, fuzzyjoin
    >>> reference = pd.DataFrame({"id": ["a", "b", "c"], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": ["x"], "name": ["Grand Mal"]})
    >>> program = fuzzyjoin.learn_program(reference, query, on="name", space="small")
    >>> program.program_id.startswith("sha256:"), program.reachable
    (True, True)
    >>> program.apply(reference, query).matches[["query_id", "reference_id"]].values.tolist()
    [['x', 'a']]
    """

    definition: Definition
    learning_record: LearningRecord | None = None

    @property
    def program_id(self) -> str:
        """SHA-256 of the definition in canonical JSON."""
        text = json.dumps(self._definition(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The compared columns with their weights."""
        return self.definition.columns

    @property
    def negative_rules(self) -> NegativeRules:
        """The pairs of words that tell rows apart."""
        return self.definition.rules()

    @property
    def built_in_blocker(self) -> Literal["lexical", "cosine"]:
        """The built-in blocker of the program; with a blocker of the user's own it only weighs and indexes."""
        return "cosine" if isinstance(self.definition.decision, Scorer) else "lexical"

    def candidates_of(self, reference: KeyTable) -> KeyTable:
        """The reference table as the program looks at it: with one row a key, or with all rows."""
        return reference.distinct() if self.definition.blocking.equal_rows == "merged" else reference

    @property
    def precision_estimate(self) -> PrecisionEstimate:
        """The estimate made when the program was learned."""
        return self.learning_record.precision_estimate if self.learning_record else PrecisionEstimate()

    @property
    def reachable(self) -> bool:
        """Whether the precision target could be reached at all; if not, the program joins nothing."""
        decision = self.definition.decision
        return bool(decision.configurations) if isinstance(decision, Union) else decision.cut is not None

    def to_json(self) -> str:
        """The program file's text: the same program and record give the same bytes."""
        record = self.learning_record
        content = {
            "schema_version": SCHEMA_VERSION,
            "program_id": self.program_id,
            "program": self._definition(),
            "learning_record": record.model_dump(mode="json") if record else None,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = "program") -> Program:
        """Read a program file's text.

        Raises
        ------
        DataError
            If it is no JSON, of another schema version, not a valid program, or its `program_id` is not its hash.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{source} is not JSON (line {error.lineno}: {error.msg}); give a file that learn wrote"
            ) from None
        except RecursionError:
            raise DataError(f"{source} is nested too deeply to be a program; give a file that learn wrote") from None
        if not isinstance(content, dict) or "schema_version" not in content:
            raise DataError(f"{source} is JSON but no program: it has no schema_version; give a file that learn wrote")
        if content["schema_version"] != SCHEMA_VERSION:
            raise DataError(
                f"{source} has schema_version {content['schema_version']!r}, this version reads {SCHEMA_VERSION}; "
                "learn it again or use the version that wrote it"
            )
        try:
            program = cls.model_validate(
                {"definition": content.get("program"), "learning_record": content.get("learning_record")}
            )
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{source} is not a valid program: {place}: {first['msg']}; learn it again") from None
        if content.get("program_id") != program.program_id:
            raise DataError(
                f"{source} says program_id {content.get('program_id')!r} but its content is {program.program_id}; it"
                " was changed after it was learned: restore the original or learn it again"
            )
        return program

    def save(self, path: str | Path) -> None:
        """Write the program file (UTF-8), at once and whole.

        Raises
        ------
        DataError
            If it cannot be written; then a file that is there stays as it is.
        """
        from fuzzyjoin.files import write_text_file  # noqa: PLC0415 - as in apply

        write_text_file(Path(path), self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> Program:
        """Read a program file.

        Raises
        ------
        DataError
            If it cannot be read as a program (see `from_json`).
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} cannot be read: {error}; give a file that learn wrote") from None
        return cls.from_json(text, source=str(path))

    def apply(
        self,
        reference: Table,
        query: Table,
        *,
        id: IdColumn = None,  # noqa: A002 - the column is called id
        strict: bool = False,
        blocker: Blocker | None = None,
        join_functions: Sequence[CustomJoinFunction] = (),
        pairs: BlockedPairs | None = None,
        scorer: str | Path | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> JoinResult:
        """Join tables with this program; see `fuzzyjoin.joining.decide.apply_program`."""
        from fuzzyjoin.joining.decide import apply_program  # noqa: PLC0415 - a program can be read without the join

        return apply_program(
            self,
            reference,
            query,
            id=id,
            strict=strict,
            blocker=blocker,
            join_functions=join_functions,
            pairs=pairs,
            scorer=scorer,
            threads=threads,
            progress=progress,
        )

    def explain(self) -> str:
        """The program in words."""
        from fuzzyjoin.joining.explanation import explain_program  # noqa: PLC0415 - as above

        return explain_program(self)

    def explain_query(
        self,
        reference: Table,
        query: Table,
        query_id: str,
        *,
        id: IdColumn = None,  # noqa: A002 - the column is called id
        blocker: Blocker | None = None,
        join_functions: Sequence[CustomJoinFunction] = (),
        scorer: str | Path | None = None,
    ) -> str:
        """Why one query row is joined, or is not, in words; see `fuzzyjoin.joining.explanation.explain_query`."""
        from fuzzyjoin.joining.explanation import explain_query  # noqa: PLC0415 - as above

        return explain_query(
            self, reference, query, query_id, id=id, blocker=blocker, join_functions=join_functions, scorer=scorer
        )

    def _definition(self) -> dict[str, Any]:
        return self.definition.model_dump(mode="json")
