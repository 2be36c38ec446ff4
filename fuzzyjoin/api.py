"""The public functions: block two tables, learn a program on them, and learn and join in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fuzzyjoin.compare import Candidates
from fuzzyjoin.errors import UsageError
from fuzzyjoin.joining import PairDecisions, decide, require_top
from fuzzyjoin.program import JoinResult, Program
from fuzzyjoin.search import LearningSettings, learn, require_learnable
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import table_pair
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from pathlib import Path

    from fuzzyjoin.blocking import BlockedPairs, Blocker
    from fuzzyjoin.compare import Space
    from fuzzyjoin.scoring import TrainedScorer
    from fuzzyjoin.tables import IdColumn, On, Table, TablePair
    from fuzzyjoin.threads import Progress, Work

__all__ = ["block_tables", "fuzzy_join", "learn_program"]

ANY_TARGET: Final = 0.9
"""Blocking depends on no precision target; settings want one."""


def fuzzy_join(
    reference: Table,
    query: Table,
    on: On = None,
    *,
    id: IdColumn = None,  # noqa: A002 - the column is called id
    precision_target: float = 0.9,
    min_probability: float | None = None,
    review_probability: float | None = None,
    method: Literal["auto", "autofj"] = "auto",
    space: Space | None = None,
    blocker: Blocker | None = None,
    equal: On = None,
    negative_rules: bool = True,
    scorer: str | Path | None = None,
    keep_placeholders: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    top: int | None = None,
    decisions: Table | None = None,
) -> JoinResult:
    """Join a messy query table to a clean reference table without labels.

    Learns a program on the two tables and applies it to them: each query row gets at most one reference row.

    Parameters
    ----------
    reference, query
        pandas frames, or frames that speak the Arrow PyCapsule interface: those of Polars, DuckDB, Ibis, pyarrow. The
        reference table should hold few duplicates.
    on
        The columns to compare: a name; where the names differ, "reference column=query column" or a dict {reference
        column: query column}; for several columns a list of names and (reference column, query column) pairs. By
        default all columns that both tables have, ids and those of `equal` left out. If both tables have a column whose
        own name is "a=b", on="a=b" names that column. Values are compared as text; None and NaN are missing.
    id
        The id column of both tables, or (reference id, query id); by default `id`, else the first unique column. Rows
        of a table that has neither are numbered from 1, which `warnings` tells.
    precision_target
        Share of matches that should be right, in (0, 1). The joined rows can be more precise than this: see
        `min_probability`.
    min_probability
        Match probability below which no row is joined where a scorer decides, in [0, 1); by default 0.5. It keeps rows
        out that are rather wrong, however far the others lie above the target. A target below about 0.85 then hardly
        matters. 0 joins the largest set that meets the target. "autofj" takes none: it has no match probabilities.
    review_probability
        Match probability from which an unmatched row is in the band "review" where a scorer decides, in [0, 1); by
        default 0.2. It changes nothing that is joined.
    method
        "autofj" is the published algorithm; "auto" whatever measures best: a trained scorer that needs no labels, or,
        if a space is named, the published algorithm over that.
    space
        Join functions to search: "small" (14, the default of autofj), "medium" (68), "large" (136), a dict of options
        or a list of join functions.
    blocker
        A user's own blocking (see `fuzzyjoin.Blocker`).
    equal
        Columns, named as in `on`, whose values must be equal, case and surrounding spaces set aside: a query row's
        candidates are the reference rows that equal it in all of them. A value that is missing equals nothing. The
        estimates of precision are made under this rule. With many different values it makes the join faster.
    negative_rules
        Whether to learn and apply negative rules; a scorer has none.
    scorer
        A scorer file of your own in place of the shipped one (see `docs/scorer.md`).
    keep_placeholders
        Compare texts such as "N/A" and "-" like any other. By default those that the data show to be placeholders are
        read as missing, which `warnings` tells (see `docs/inputs.md`); the program keeps which.
    threads
        Threads to use; by default the processors of this process. The result does not depend on it.
    progress
        Called with a stage's name and the share done, in [0, 1].
    top
        How many candidates a query row `result.candidates` lists, with their match probabilities; 1 or more. None are
        listed by default, nor by a union of configurations, which has no match probabilities.
    decisions
        What people decided on pairs: a table with `query_id` and `reference_id` ("none" for no match, empty to take
        earlier decisions back), and if known `by`, `when` (ISO 8601; the latest holds) and `why`. They stand over what
        the program decides for these rows, and change neither the program nor its estimate, which leaves the rows out.

    Returns
    -------
    JoinResult
        Matches, unmatched rows with reasons, the program, and the method's own estimate of precision. If the target
        is out of reach nothing is joined and `result.program.reachable` is false.

    Raises
    ------
    UsageError
        If an argument is out of range, unknown or contradicts another.
    DataError
        If a table cannot be joined as it is.

    Notes
    -----
    Li, Cheng, Chu, He, Chaudhuri: Auto-FuzzyJoin, SIGMOD 2021, sections 3 and 4.

    Of more than 10,000 query rows a scorer's program is learned on a sample of so many, the same in every run, and
    applied to all; the estimate is that of all joined rows (see `docs/scorer.md`).

    Examples
    --------
    >>> import pandas as pd
    >>> from fuzzyjoin import fuzzy_join
    >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    >>> result = fuzzy_join(reference, query, on="name")
    >>> result.matches[["query_id", "reference_id"]].values.tolist()
    [[7, 1], [8, 3]]

    Names alone cannot tell, and the state is known for certain:

    >>> names, states = ["St Mary Clinic", "North Plaza", "St Mary Clinic", "Lake Center"], ["TX", "TX", "CA", "CA"]
    >>> clinics = pd.DataFrame({"id": [1, 2, 3, 4], "name": names, "state": states})
    >>> asked = pd.DataFrame({"id": [7], "name": ["St. Mary Clinic"], "state": ["ca"]})
    >>> fuzzy_join(clinics, asked, "name", equal="state").matches["reference_id"].tolist()
    [3]

    Columns of different names:

    >>> typed = query.rename(columns={"name": "typed"})
    >>> fuzzy_join(reference, typed, on={"name": "typed"}).matches.equals(result.matches)
    True
    """
    settings = LearningSettings.of(
        method,
        space,
        precision_target,
        negative_rules=negative_rules,
        min_probability=min_probability,
        review_probability=review_probability,
    )
    require_top(top, by_scorer=settings.by_scorer)
    people = None if decisions is None else PairDecisions.of(decisions)
    watch = Stopwatch()
    with watch.stage("tables"):
        own_scorer = _own_scorer(scorer, settings)
        tables = table_pair(reference, query, on, id, () if keep_placeholders else None, equal)
        candidates, warnings = _candidates(tables, blocker, choose_work(threads, progress), settings), tables.warnings
    learned = learn(candidates, settings, watch, own_scorer)
    definition = learned.definition.with_missing(tables.missing)
    own = {function.name: function for function in settings.functions}
    decided = decide(
        definition, candidates, own, watch, own_scorer, learned.best, pair_scores=top is not None, people=people
    )
    program = Program(definition=definition, learning_record=learned.learning_record)
    return JoinResult.of(program, decided, watch, (*warnings, *learned.learning_record.warnings), top=top)


def learn_program(
    reference: Table,
    query: Table,
    on: On = None,
    *,
    id: IdColumn = None,  # noqa: A002 - the column is called id
    precision_target: float = 0.9,
    min_probability: float | None = None,
    review_probability: float | None = None,
    method: Literal["auto", "autofj"] = "auto",
    space: Space | None = None,
    blocker: Blocker | None = None,
    equal: On = None,
    negative_rules: bool = True,
    pairs: BlockedPairs | None = None,
    scorer: str | Path | None = None,
    keep_placeholders: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Program:
    """Learn a program without joining; parameters and errors as for `fuzzy_join`.

    Parameters
    ----------
    pairs
        Candidate pairs that `block_tables` found on the same tables, in place of blocking them here.

    Returns
    -------
    Program
        With its learning record; if that has a `query_sample`, its estimates are those of the sampled query rows. The
        same tables and settings give the same bytes, whatever the order of their rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from fuzzyjoin import learn_program
    >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    >>> learn_program(reference, query, on="name", space="small").learning_record.joined
    2
    """
    settings = LearningSettings.of(
        method,
        space,
        precision_target,
        negative_rules=negative_rules,
        min_probability=min_probability,
        review_probability=review_probability,
    )
    own_scorer = _own_scorer(scorer, settings)
    tables = table_pair(reference, query, on, id, () if keep_placeholders else None, equal)
    candidates = _candidates(tables, blocker, choose_work(threads, progress), settings, pairs)
    learned = learn(candidates, settings, Stopwatch(), own_scorer)
    definition = learned.definition.with_missing(tables.missing)
    return Program(definition=definition, learning_record=learned.learning_record)


def block_tables(
    reference: Table,
    query: Table,
    on: On = None,
    *,
    id: IdColumn = None,  # noqa: A002 - the column is called id
    equal: On = None,
    method: Literal["auto", "autofj"] = "auto",
    space: Space | None = None,
    keep_placeholders: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> BlockedPairs:
    """Find the candidate pairs of two tables, for `learn_program` and `Program.apply` to start from.

    Parameters and errors are those of `fuzzy_join`.

    Returns
    -------
    BlockedPairs

    Notes
    -----
    Auto-FuzzyJoin, SIGMOD 2021, section 3.2.

    Examples
    --------
    >>> import pandas as pd
    >>> from fuzzyjoin import block_tables, learn_program
    >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    >>> pairs = block_tables(reference, query, on="name")
    >>> learn_program(reference, query, on="name", pairs=pairs) == learn_program(reference, query, on="name")
    True
    """
    settings = LearningSettings.of(method, space, ANY_TARGET, negative_rules=True)
    tables = table_pair(reference, query, on, id, () if keep_placeholders else None, equal)
    compared = tables.reference.distinct()
    blocker, k = settings.blocking(len(compared))
    candidates = Candidates(compared, tables.query, k, choose_work(threads, progress), blocker=blocker)
    return candidates.blocked(with_reference=not settings.by_scorer)


def _candidates(
    tables: TablePair,
    blocker: Blocker | None,
    work: Work,
    settings: LearningSettings,
    pairs: BlockedPairs | None = None,
) -> Candidates:
    compared = tables.reference.distinct()
    require_learnable(compared, tables.query)
    built_in, k = settings.blocking(len(compared))
    if pairs is not None:
        if blocker is not None:
            raise UsageError(
                "blocker and pairs are both given; pairs come from a built-in blocker: give one of the two"
            )
        pairs.require_tables(compared, tables.query)
        pairs.require_blocking(built_in, k)
    return Candidates(compared, tables.query, blocker or k, work, blocker=built_in, found=pairs)


def _own_scorer(path: str | Path | None, settings: LearningSettings) -> TrainedScorer | None:
    if path is None:
        return None
    if not settings.by_scorer:
        raise UsageError(
            f"scorer is {str(path)!r}, but method {settings.method!r} over the space {settings.space_name!r} uses none;"
            " leave scorer out, or ask for method auto without a space"
        )
    from fuzzyjoin.scoring import load_scorer  # noqa: PLC0415 - the search does without its kernels

    return load_scorer(path)
