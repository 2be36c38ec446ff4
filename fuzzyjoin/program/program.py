"""The program as an artefact, and what joining by it gives.

A program file has three parts: `program`, everything that decides a match; `program_id`, the SHA-256 of exactly that
part in canonical JSON; `learning_record`, what it was learned on and what was estimated. Loading executes nothing.

A program read from a file of schema version 1 stays one: its id is the hash of that version's spelling, and it is
written as it was read (see `fuzzyjoin.definition.schema_1`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import ValidationError

from fuzzyjoin.definition import (
    Definition,
    LearningRecord,
    Part,
    PrecisionEstimate,
    Scorer,
    from_schema_1,
    to_schema_1,
)
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import write_text_file
from fuzzyjoin.joining import (
    SUFFIX,
    JoinedRows,
    PairDecisions,
    candidate_table,
    decide,
    drift_warnings,
    explain_definition,
    explain_query,
    given_scorer,
    id_places,
    join_counts,
    joined_table,
    match_table,
    require_top,
    tables_to_join,
    unmatched_table,
)
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import ROW_NUMBER, as_frame, numbered, require_column
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from fuzzyjoin.blocking import BlockedPairs, Blocker, NegativeRules
    from fuzzyjoin.compare import CustomJoinFunction
    from fuzzyjoin.definition import Column
    from fuzzyjoin.joining import Decisions, How
    from fuzzyjoin.tables import IdColumn, Table
    from fuzzyjoin.threads import Progress

__all__ = ["JoinResult", "Program"]

SchemaVersion = Literal[1, 2]

READ: Final[tuple[SchemaVersion, ...]] = (1, 2)
"""Schema versions that are read; a program is written in its own, a new one in the last."""

MATCHES_SHOWN: Final = 5
"""Matches that a result shows of itself."""


class Program(Part):
    """A learned fuzzy-join program with its learning record.

    `schema_version` is that of its file: 2 for a learned program, 1 for one that was read from a file of version 1.

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
    schema_version: SchemaVersion = READ[-1]

    @property
    def program_id(self) -> str:
        """SHA-256 of the definition in canonical JSON, as its schema version spells it."""
        definition = self._spelled({"program": self.definition.model_dump(mode="json")})["program"]
        text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
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
    def precision_estimate(self) -> PrecisionEstimate:
        """The estimate made when the program was learned."""
        return self.learning_record.precision_estimate if self.learning_record else PrecisionEstimate()

    @property
    def by_scorer(self) -> bool:
        """Whether a scorer decides, which gives match probabilities; else a union of configurations does."""
        return isinstance(self.definition.decision, Scorer)

    @property
    def reachable(self) -> bool:
        """Whether the precision target could be reached at all; if not, the program joins nothing."""
        return self.definition.reachable

    def as_json(self) -> dict[str, Any]:
        """What the program file holds, ready for JSON, as the program's schema version spells it."""
        record = self.learning_record
        parts = {
            "program": self.definition.model_dump(mode="json"),
            "learning_record": record.model_dump(mode="json") if record else None,
        }
        return {"schema_version": self.schema_version, "program_id": self.program_id, **self._spelled(parts)}

    def to_json(self) -> str:
        """The program file's text: the same program and record give the same bytes."""
        return json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = "program") -> Program:
        """Read a program file's text.

        Raises
        ------
        DataError
            If it is no JSON, of an unknown schema version, not a valid program, or its `program_id` is not its hash.
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
        parts = _in_todays_names(content, source)
        try:
            program = cls.model_validate(
                {
                    "definition": parts.get("program"),
                    "learning_record": parts.get("learning_record"),
                    "schema_version": parts["schema_version"],
                }
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
        top: int | None = None,
        decisions: Table | None = None,
    ) -> JoinResult:
        """Join two tables by the program.

        Parameters
        ----------
        reference, query
            Frames (see `fuzzy_join`) with the columns that the program names.
        id
            The id column of both tables, or (reference id, query id); by default `id`, else the first unique column.
            Rows of a table that has neither are numbered from 1, which `warnings` tells.
        strict
            Refuse a reference table other than the one that the program was learned on, instead of warning.
        blocker, join_functions
            The user's own parts that the program names.
        pairs
            Candidate pairs that `block_tables` found on the same tables, in place of blocking them here.
        scorer
            The scorer file that the program names, where that is not the shipped one.
        threads
            Threads to use; by default the processors of this process. The result does not depend on it.
        progress
            Called with a stage's name and the share done.
        top
            How many candidates a query row to list in `candidates`, as for `fuzzy_join`.
        decisions
            What people decided on pairs, as for `fuzzy_join`.

        Returns
        -------
        JoinResult
            Each query row's match depends on the program, the reference table and that row alone. A query table without
            rows gives tables without rows.

        Raises
        ------
        UsageError
            If a column, or a part that the program names, is missing.
        DataError
            If a table cannot be joined, or under `strict` if the reference table is another.
        """
        require_top(top, by_scorer=self.by_scorer)
        people = None if decisions is None else PairDecisions.of(decisions)
        watch = Stopwatch()
        with watch.stage("tables"):
            candidates, warnings = tables_to_join(
                self.definition,
                self.learning_record,
                reference,
                query,
                id_column=id,
                strict=strict,
                blocker=blocker,
                pairs=pairs,
                work=choose_work(threads, progress),
            )
        own = {function.name: function for function in join_functions}
        decided = decide(
            self.definition,
            candidates,
            own,
            watch,
            given_scorer(scorer),
            pair_scores=top is not None,
            people=people,
        )
        drifted = drift_warnings(self.learning_record, len(candidates.query), decided.joined)
        return JoinResult.of(self, decided, watch, (*warnings, *drifted), top=top)

    def explain(self, *, rule_words: bool = True) -> str:
        """The program in words, several lines; without `rule_words` its negative rules, which are data, as a number."""
        lines = explain_definition(self.definition, self.learning_record, rule_words=rule_words)
        return "\n".join([f"Program {self.program_id}", *lines])

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
        decisions: Table | None = None,
    ) -> str:
        """Why one query row is joined, or is not, several lines.

        Parameters
        ----------
        reference, query
            The tables.
        query_id
            The row's id, as text.
        id, blocker, join_functions, scorer, decisions
            As for `apply`.

        Raises
        ------
        UsageError
            If the query table has no such id, or the program needs the user's own parts.
        DataError
            If a table cannot be joined.
        """
        return explain_query(
            self.definition,
            self.learning_record,
            reference,
            query,
            query_id,
            id_column=id,
            blocker=blocker,
            own={function.name: function for function in join_functions},
            scorer=scorer,
            people=None if decisions is None else PairDecisions.of(decisions),
        )

    def _spelled(self, parts: dict[str, Any]) -> dict[str, Any]:
        return to_schema_1(parts) if self.schema_version == 1 else parts


def _in_todays_names(content: dict[str, Any], source: str) -> dict[str, Any]:
    """What a program file holds, its keys those of the newest schema version."""
    schema_version = content["schema_version"]
    if type(schema_version) is not int or schema_version not in READ:
        raise DataError(
            f"{source} has schema_version {schema_version!r}, this version reads {' and '.join(map(str, READ))}; "
            "learn it again or use the version that wrote it"
        )
    if schema_version != 1:
        return content
    parts = from_schema_1(content)
    if to_schema_1(parts) != content:
        raise DataError(
            f"{source} is not a valid program: it has schema_version 1 but keys of version 2; it was changed after it "
            "was learned: restore the original or learn it again"
        )
    return parts


@dataclass(frozen=True, repr=False)
class JoinResult:
    """A finished join.

    Attributes
    ----------
    matches
        One row a matched query row, in the order of the query table. `precision_estimate` is the estimated probability
        that this match is right; `configuration` the position in the program of the configuration that joined it, with
        its join function, distance and threshold; `runner_up_id` the second nearest candidate under that join function
        and `margin` how much farther it is. `equal_reference_rows` says how many other reference rows have the very
        values of this one, which has the smallest id of them. `query_text` and `reference_text` are the compared
        values. Where a scorer decides it stands as configuration 0; distance and threshold are then 1 - score and
        1 - decision threshold, scores in (0, 1).
    unmatched
        One row an unmatched query row, with the reason and the candidate that came nearest to being joined. `band` is
        "review" if that one's match probability is at least the program's `review_probability`, else "reject".
        `best_probability` is the match probability of that candidate, in [0, 1]; nan where there is none, or where a
        union decides, which estimates it of joined rows alone.
    program
        The program that decided.
    precision_estimate
        Estimated precision of the matches that the program decided on.
    id_columns
        The id columns taken from the reference and the query table.
    counts
        reference_rows, equal_reference_rows (those whose compared values a row before them has too), query_rows,
        matched, unmatched, review (unmatched rows of that band), pinned and forbidden (query rows that people decided
        to have a match, or none), candidate_pairs.
    seconds
        Seconds a stage.
    warnings
        What the caller should know, one sentence each.
    candidates
        The best candidates of every query row that has any, best first, in the order of the query table, if `top` asked
        for them. `probability` is the chance that this one and no other is right; with `no_match_probability`, that
        none is, those of all candidates make 1. `rank` counts from 1, `band` is the query row's: "accept", "review" or
        "reject".
    query, reference
        The tables that were joined, sharing the caller's memory; `reference` is None where an index took its place.
    """

    matches: pd.DataFrame
    unmatched: pd.DataFrame
    program: Program
    precision_estimate: PrecisionEstimate
    id_columns: tuple[str, str]
    counts: dict[str, int]
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    candidates: pd.DataFrame | None = None
    query: pd.DataFrame | None = None
    reference: pd.DataFrame | None = None

    @classmethod
    def of(
        cls,
        program: Program,
        decisions: Decisions,
        watch: Stopwatch,
        warnings: tuple[str, ...] = (),
        *,
        top: int | None = None,
    ) -> JoinResult:
        """Turn decisions on positions into tables with the caller's ids, in the order of the query table."""
        with watch.stage("result"):
            matches, unmatched = match_table(decisions), unmatched_table(decisions)
            candidates = None if top is None else candidate_table(decisions, top)
        return cls(
            matches=matches,
            unmatched=unmatched,
            program=program,
            precision_estimate=decisions.estimate,
            id_columns=(decisions.candidates.reference.id_column, decisions.candidates.query.id_column),
            counts=join_counts(decisions),
            seconds=dict(watch.seconds),
            warnings=(*warnings, *(decisions.decided.conflicts if decisions.decided else ())),
            candidates=candidates,
            query=decisions.candidates.query.source,
            reference=decisions.candidates.reference.source,
        )

    def joined(self, how: How = "left", *, suffix: str = SUFFIX, reference: Table | None = None) -> pd.DataFrame:
        """Both tables side by side, as one table.

        Parameters
        ----------
        how
            Which rows it has. "left": every query row once, with its reference row if it has a match. "inner": the
            matched query rows. "full": those of "left", then the reference rows that no query row matched. "anti": the
            query rows without a match, with the columns of the query table alone.
        suffix
            What is appended to the name of a column of the reference table that the query table has too, as often as
            it takes until no other column has that name.
        reference
            The reference table. Only a result that `Matcher.lookup` found in an index needs it.

        Returns
        -------
        pandas.DataFrame
            The columns of the query table; those of the reference table; `match_probability`, in [0, 1], nan where
            there is no match. Query rows are in the order of their table, then reference rows in that of theirs. Of
            reference rows with equal compared values the match names one; the others are not matched. Dtypes stay as
            they are, except that whole numbers and booleans of numpy become nullable ("Int64", "boolean") on the side
            that can be missing: the reference table's under "left", both under "full".

        Raises
        ------
        UsageError
            If an argument is not as above, or the reference table is needed.
        DataError
            If the reference table given lacks a row that a match names.

        Examples
        --------
        >>> import pandas as pd
        >>> from fuzzyjoin import fuzzy_join
        >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
        >>> query = pd.DataFrame({"id": [7, 8, 9], "name": ["The Grand Mall", "zzz", "Lake Centre"]})
        >>> result = fuzzy_join(reference, query, on="name", space="small")
        >>> result.joined().drop(columns="match_probability")
           id            name  id_reference name_reference
        0   7  The Grand Mall             1     Grand Mall
        1   8             zzz          <NA>            NaN
        2   9     Lake Centre             3    Lake Center
        >>> result.joined("full")["name_reference"].tolist()
        ['Grand Mall', nan, 'Lake Center', 'North Plaza']
        """
        table = self.reference if reference is None else as_frame(reference, "reference")
        if table is None or self.query is None:
            raise UsageError(
                "the result was looked up in an index, which holds the compared columns of the reference table only",
                argument="reference",
                remedy="give the table: result.joined(reference=table)",
            )
        of_reference, of_query = self.id_columns
        if of_reference == ROW_NUMBER and reference is not None:
            table = numbered(table)
        require_column(table, of_reference, "reference")
        rows = JoinedRows.of(self.matches, self.query[of_query], id_places(table[of_reference]))
        return joined_table(self.query, table, rows, how, suffix)

    def __repr__(self) -> str:
        """One sentence, and the first matches."""
        return f"{self._sentence()}\n{self._first_matches().to_string(index=False)}"

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        table = self._first_matches().to_html(index=False, border=0)
        return f"<p>{escape(self._sentence())}</p>{table}"

    def _sentence(self) -> str:
        estimate, matched = self.precision_estimate, self.counts["matched"]
        sure = "" if estimate.value is None else f" at an estimated precision of {estimate.value:.3f}"
        if estimate.low is not None and estimate.high is not None:
            sure += f" ({estimate.low:.3f} to {estimate.high:.3f})"
        rows = f"Joined {matched:,} of {self.counts['query_rows']:,} query rows{sure}."
        return rows if matched <= MATCHES_SHOWN else f"{rows} The first {MATCHES_SHOWN} matches:"

    def _first_matches(self) -> pd.DataFrame:
        columns = ["query_id", "query_text", "reference_id", "reference_text", "precision_estimate"]
        return self.matches[columns].head(MATCHES_SHOWN)
