"""A program held open beside its reference table, to look rows up as they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fuzzyjoin.compare import Candidates, ReferenceSide
from fuzzyjoin.index.folder import build_index, complete_index, open_index
from fuzzyjoin.index.needs import IndexNeeds
from fuzzyjoin.joining import PairDecisions, asked_blocking, decide, given_scorer, reference_warnings, require_top
from fuzzyjoin.program import JoinResult, Program
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import NUMBERED, ROW_NUMBER, one_table, require_text
from fuzzyjoin.threads import Work, choose_work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fuzzyjoin.compare import AnyJoinFunction, CustomJoinFunction
    from fuzzyjoin.joining import Decisions
    from fuzzyjoin.scoring import TrainedScorer
    from fuzzyjoin.tables import KeyTable, Table
    from fuzzyjoin.threads import Progress

__all__ = ["Matcher", "index_reference", "prepare_index", "query_table", "reference_table"]


@dataclass(frozen=True, eq=False)
class Matcher:
    """A stored program and the reference side of its join, from an index or made in memory.

    Attributes
    ----------
    program
        The program.
    side
        What is made of the reference table.
    warnings
        What the caller should know of the two, one sentence each.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from fuzzyjoin import Matcher, index_reference, learn_program
    >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    >>> program = learn_program(reference, query, on="name", space="small")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     matcher = Matcher.open(index_reference(program, reference, folder), program)
    ...     found = matcher.lookup(pd.DataFrame({"id": ["x"], "name": ["grand mal"]}))
    >>> found.matches[["query_id", "reference_id"]].values.tolist()
    [['x', 1]]
    """

    program: Program
    side: ReferenceSide
    warnings: tuple[str, ...] = ()
    own: Mapping[str, AnyJoinFunction] = field(default_factory=dict)
    scorer: TrainedScorer | None = None
    work: Work = field(default_factory=Work)

    @classmethod
    def open(
        cls,
        index: str | Path,
        program: Program | str | Path,
        *,
        join_functions: Sequence[CustomJoinFunction] = (),
        scorer: str | Path | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Matcher:
        """Open an index that was built for a program.

        Parameters
        ----------
        index
            The folder that `index_reference` returned.
        program
            The program, or its file.
        join_functions, scorer, threads, progress
            As for `Program.apply`.

        Raises
        ------
        UsageError
            If there is no such index, or it was built for another program.
        DataError
            If the index or the program cannot be read.
        """
        loaded = program if isinstance(program, Program) else Program.load(program)
        side = open_index(Path(index), IndexNeeds.of(loaded.definition))
        of_rows = (NUMBERED.format("reference"),) if side.table.id_column == ROW_NUMBER else ()
        return cls(
            loaded,
            side,
            (*reference_warnings(loaded.learning_record, side.table, strict=False), *of_rows),
            {function.name: function for function in join_functions},
            given_scorer(scorer),
            choose_work(threads, progress),
        )

    @classmethod
    def over(
        cls,
        program: Program,
        reference: Table,
        *,
        id: str | None = None,  # noqa: A002 - the column is called id
        indexes: Path | None = None,
        strict: bool = False,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Matcher:
        """Hold a program open beside a reference table at hand.

        Parameters
        ----------
        indexes
            A folder of indexes: that of the table is opened there, and built before if it is absent. Without a folder
            what is made of the table stays in memory.
        program, reference, id, strict, threads, progress
            As for `Program.apply`; `id` is the reference table's.

        Raises
        ------
        UsageError, DataError
            As for `Program.apply` and `index_reference`.
        """
        needs = IndexNeeds.of(program.definition)
        table, numbered = reference_table(needs, reference, id)
        warnings = (*reference_warnings(program.learning_record, table, strict=strict), *numbered)
        work = choose_work(threads, progress)
        if indexes is not None:
            side = open_index(build_index(indexes, needs, table, work), needs)
        else:
            side = ReferenceSide(table, asked_blocking(program.definition, None), needs.negative_rules(), needs.blocker)
        return cls(program, side, warnings, work=work)

    def lookup(
        self,
        rows: Table,
        *,
        id: str | None = None,  # noqa: A002 - the column is called id
        top: int | None = None,
        decisions: Table | None = None,
    ) -> JoinResult:
        """Join some rows; each row's match depends on the program, the reference table and that row alone.

        Parameters
        ----------
        rows
            A frame (see `fuzzy_join`) with the query columns that the program names.
        id
            The id column; by default `id`, else the first whose values are present and unique. Without any, the rows
            are numbered from 1, which `warnings` tells.
        top
            How many candidates a row to list in `candidates`, as for `fuzzy_join`.
        decisions
            What people decided on pairs, as for `fuzzy_join`.

        Raises
        ------
        UsageError
            If a column is missing, or `top` cannot be had.
        DataError
            If an id is missing or occurs twice.
        """
        require_top(top, by_scorer=self.program.by_scorer)
        people = None if decisions is None else PairDecisions.of(decisions)
        watch = Stopwatch()
        with watch.stage("tables"):
            table, numbered = query_table(self.program, rows, id)
        decided = self.decide(table, watch, pair_scores=top is not None, people=people)
        return JoinResult.of(self.program, decided, watch, (*self.warnings, *numbered), top=top)

    def decide(
        self, query: KeyTable, watch: Stopwatch, *, pair_scores: bool = False, people: PairDecisions | None = None
    ) -> Decisions:
        """What the program and people decide for every row of a query table (see `fuzzyjoin.joining.decide`)."""
        candidates = Candidates(
            self.side.table,
            query,
            asked_blocking(self.program.definition, None),
            self.work,
            self.side.rules,
            blocker=self.side.blocker,
            prepared=self.side,
        )
        return decide(
            self.program.definition, candidates, self.own, watch, self.scorer, pair_scores=pair_scores, people=people
        )


def index_reference(
    program: Program | str | Path,
    reference: Table,
    folder: str | Path,
    *,
    id: str | None = None,  # noqa: A002 - the column is called id
    threads: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Build the index of a reference table for a program, unless the folder holds it already.

    An index that `update_index` made is completed: what its first lookups would have to find is found, and kept in it.

    Parameters
    ----------
    program
        The program, or its file.
    reference
        A frame (see `fuzzy_join`) with the reference columns that the program names.
    folder
        Where indexes are kept; made if absent. The index is a folder in it, named by its content.
    id
        The id column; by default `id`, else the first whose values are present and unique. Ids are kept as whole
        numbers if all are, else as text. Without any such column the rows are numbered from 1.
    threads, progress
        As for `Program.apply`.

    Returns
    -------
    pathlib.Path
        The index, for `Matcher.open`.

    Raises
    ------
    UsageError
        If a column is missing, or the program blocks by a blocker of the user's own.
    DataError
        If the table cannot be joined to, or the index cannot be written.

    Examples
    --------
    See `Matcher`.
    """
    loaded = program if isinstance(program, Program) else Program.load(program)
    needs = IndexNeeds.of(loaded.definition)
    table, _ = reference_table(needs, reference, id)
    return prepare_index(Path(folder), needs, table, choose_work(threads, progress), all_neighbours=True)


def prepare_index(folder: Path, needs: IndexNeeds, table: KeyTable, work: Work, *, all_neighbours: bool) -> Path:
    """Build the index of a reference table (see `reference_table`), or complete the one that is there.

    Parameters
    ----------
    folder
        Where indexes are kept; made if absent.
    needs
        What the index must hold: of a program, or of the settings to learn one.
    table
        The reference table.
    work
        Threads and progress.
    all_neighbours
        Whether a scorer's index has the nearest reference neighbours of every row, which take the most time. Those
        that it lacks are found when they are first asked for.

    Returns
    -------
    pathlib.Path
        The index, for `open_index` or `Matcher.open`.

    Raises
    ------
    UsageError, DataError
        As for `index_reference`.
    """
    path = build_index(folder, needs, table, work, all_neighbours=all_neighbours)
    if all_neighbours:
        complete_index(path, needs, work)
    return path


def reference_table(needs: IndexNeeds, table: Table, id_column: str | None) -> tuple[KeyTable, tuple[str, ...]]:
    """The reference table as an index holds it, and what to know of its ids; errors as for `index_reference`."""
    keys, warnings = one_table(table, "reference", needs.columns, id_column, needs.missing, needs.equal)
    require_text(keys)
    return needs.candidates_of(keys), warnings


def query_table(program: Program, table: Table, id_column: str | None) -> tuple[KeyTable, tuple[str, ...]]:
    """The query table as the program looks at it, and what to know of its ids; nothing is asked of its texts."""
    definition = program.definition
    columns, equal = ([column.query for column in pairs] for pairs in (definition.columns, definition.equal))
    return one_table(table, "query", columns, id_column, definition.missing, equal)
