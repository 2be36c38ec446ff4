"""The commands: each checks its outputs, reads, asks the library, writes and reports.

What takes long to import is imported inside the commands, so that `--help` and `--version` answer at once.
"""
# ruff: noqa: PLC0415 - see above

# No postponed annotations here: typer reads these at run time.
import dataclasses
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fuzzyjoin import __version__
from fuzzyjoin.cli.audit import audit
from fuzzyjoin.cli.group import OneLineErrors
from fuzzyjoin.cli.options import (
    PROGRAM_OUT,
    BatchRows,
    Candidates,
    Delimiter,
    Encoding,
    Equal,
    HowJoined,
    Id,
    Index,
    Joined,
    Json,
    KeepPlaceholders,
    Matches,
    Method,
    MinProbability,
    NegativeRules,
    On,
    PeopleDecisions,
    PrecisionTarget,
    ProgramFile,
    ProgramOut,
    Query,
    Quiet,
    Reference,
    ReviewProbability,
    Sheet,
    Space,
    Threads,
    Top,
    Unmatched,
    Verbose,
    Yes,
)
from fuzzyjoin.terminal import for_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fuzzyjoin.cli.inputs import FilePair
    from fuzzyjoin.cli.reports import Detail
    from fuzzyjoin.joining import How
    from fuzzyjoin.program import JoinResult, Program

__all__ = ["app"]

_TARGET_UNREACHABLE = 3
_TOP = 5
_TRY = "fuzzyjoin join reference.csv query.csv --on name -o matches.csv"

app = typer.Typer(
    cls=OneLineErrors,
    add_completion=False,
    pretty_exceptions_enable=False,
    # In a terminal of 80 columns the boxed help cuts the names of options off.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(audit, name="audit")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"fuzzyjoin {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def fuzzyjoin(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback acts on it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Join two tables whose keys differ, without labels, at a precision you name.

    Exit codes: 0 done, 1 a problem in the data, 2 wrong usage, 3 the precision target cannot be reached (the output
    then holds its header line only).
    """
    if context.invoked_subcommand is None:
        typer.echo(f"{context.get_help()}\n\nTry it:\n  {_TRY}")


@app.command()
def join(
    reference: Reference,
    query: Query,
    *,
    output: Matches,
    on: On = None,
    yes: Yes = False,
    equal: Equal = None,
    ids: Id = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    precision_target: PrecisionTarget = 0.9,
    min_probability: MinProbability = None,
    review_probability: ReviewProbability = None,
    space: Space = None,
    method: Method = "auto",
    negative_rules: NegativeRules = True,
    keep_placeholders: KeepPlaceholders = False,
    unmatched_out: Unmatched = None,
    candidates_out: Candidates = None,
    top: Top = None,
    joined: Joined = None,
    how: HowJoined = None,
    decisions: PeopleDecisions = None,
    program_out: ProgramOut = None,
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Learn a join program from the two tables and join them with it."""
    written = _given(
        matches=output, unmatched=unmatched_out, candidates=candidates_out, joined=joined, program=program_out
    )
    listed = _listed(top, candidates_out)
    shown = _shown_rows(joined, how)
    _check_outputs(written, inputs=[reference, query, *([decisions] if decisions else [])])

    from fuzzyjoin.cli.inputs import layouts, read_decisions, read_pair
    from fuzzyjoin.cli.progress import progress_bars

    started = time.perf_counter()
    tables = read_pair(
        reference, query, on=on, equal=equal, ids=ids, yes=yes, layouts=layouts(delimiter, encoding, sheet)
    )
    seconds = {"read": time.perf_counter() - started}
    if not len(tables.query):
        from fuzzyjoin.cli.no_rows import write_headers

        write_headers(tables, written, seconds, shown, quiet=quiet, as_json=as_json)
        return

    # Only now: a fault in the files is told without waiting for the compiled kernels.
    from fuzzyjoin.api import fuzzy_join

    with tables.naming_files(), read_decisions(decisions) as people, progress_bars(quiet=quiet) as progress:
        result = fuzzy_join(
            tables.reference.frame,
            tables.query.frame,
            tables.on,
            id=tables.id_columns,
            equal=tables.equal,
            precision_target=precision_target,
            min_probability=min_probability,
            review_probability=review_probability,
            method=method,
            space=space,
            negative_rules=negative_rules,
            keep_placeholders=keep_placeholders,
            threads=threads,
            progress=progress,
            top=listed,
            decisions=people,
        )
    _finish(result, tables, written, seconds, shown, detail=_detail(quiet=quiet, verbose=verbose), as_json=as_json)


@app.command()
def learn(
    reference: Reference,
    query: Query,
    *,
    program_out: Annotated[Path, PROGRAM_OUT],
    on: On = None,
    yes: Yes = False,
    equal: Equal = None,
    ids: Id = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    precision_target: PrecisionTarget = 0.9,
    min_probability: MinProbability = None,
    review_probability: ReviewProbability = None,
    space: Space = None,
    method: Method = "auto",
    negative_rules: NegativeRules = True,
    keep_placeholders: KeepPlaceholders = False,
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Learn a join program and store it, without joining."""
    written = _given(program=program_out)
    _check_outputs(written, inputs=[reference, query])

    from fuzzyjoin.cli.inputs import layouts, read_pair
    from fuzzyjoin.cli.progress import progress_bars
    from fuzzyjoin.cli.reports import Outcome, next_after_learn, print_outcome
    from fuzzyjoin.files import Output, write_all

    started = time.perf_counter()
    tables = read_pair(
        reference, query, on=on, equal=equal, ids=ids, yes=yes, layouts=layouts(delimiter, encoding, sheet)
    )
    read_seconds = time.perf_counter() - started

    # Only now: a fault in the files is told without waiting for the compiled kernels.
    from fuzzyjoin.api import learn_program

    started = time.perf_counter()
    with tables.naming_files(), progress_bars(quiet=quiet) as progress:
        program = learn_program(
            tables.reference.frame,
            tables.query.frame,
            tables.on,
            id=tables.id_columns,
            equal=tables.equal,
            precision_target=precision_target,
            min_probability=min_probability,
            review_probability=review_probability,
            method=method,
            space=space,
            negative_rules=negative_rules,
            keep_placeholders=keep_placeholders,
            threads=threads,
            progress=progress,
        )
    learn_seconds = time.perf_counter() - started
    started = time.perf_counter()
    write_all([Output(program_out, program.save)])
    outcome = Outcome(
        program=program,
        estimate=program.precision_estimate,
        counts={"reference_rows": len(tables.reference.frame), "query_rows": len(tables.query.frame)},
        seconds={"read": read_seconds, "learn": learn_seconds, "write": time.perf_counter() - started},
        tables=tables,
        written=written,
        next_steps=next_after_learn(tables, program_out),
        warnings=(*tables.notes, *tables.placeholder_notes(program)),
    )
    print_outcome(outcome, detail=_detail(quiet=quiet, verbose=verbose), as_json=as_json)
    _exit_unless_reachable(program)


@app.command()
def apply(
    context: typer.Context,
    program: ProgramFile,
    reference: Reference,
    query: Query,
    *,
    output: Matches,
    ids: Id = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a reference table other than the one the program was learned on.")
    ] = False,
    unmatched_out: Unmatched = None,
    candidates_out: Candidates = None,
    top: Top = None,
    joined: Joined = None,
    how: HowJoined = None,
    decisions: PeopleDecisions = None,
    index: Index = None,
    batch_rows: BatchRows = 50_000,
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Join two tables with a stored program, without learning.

    The query table is joined in batches. Until the last is done, finished parts stand in a folder beside the output,
    named as it is with .parts behind; rerun the command to resume from them, with fewer or more --batch-rows too.
    """
    written = _given(matches=output, unmatched=unmatched_out, candidates=candidates_out, joined=joined)
    listed = _listed(top, candidates_out)
    shown = _shown_rows(joined, how)
    _check_outputs(written, inputs=[program, reference, query, *([decisions] if decisions else [])])

    from fuzzyjoin.files import locked

    # Until the command ends, however it ends: the parts of two runs would stand in one folder.
    context.with_resource(locked(output))

    from fuzzyjoin.cli.inputs import (
        content_hash,
        layouts,
        load_program,
        query_batches,
        read_decisions,
        read_for_batches,
    )
    from fuzzyjoin.cli.progress import progress_bars
    from fuzzyjoin.cli.reports import Outcome, next_after_join, print_outcome
    from fuzzyjoin.files import pieces_output, write_all

    started = time.perf_counter()
    loaded = load_program(program)
    if listed is not None:
        from fuzzyjoin.joining import require_top

        require_top(listed, by_scorer=loaded.by_scorer)
    columns, equal = (
        [(column.reference, column.query) for column in pairs] for pairs in (loaded.columns, loaded.definition.equal)
    )
    asked = layouts(delimiter, encoding, sheet)
    tables = read_for_batches(reference, query, on=columns, equal=equal, ids=ids, rows=batch_rows, layouts=asked)
    seconds = {"read": time.perf_counter() - started}

    # Only now: a fault in the files is told without waiting for the compiled kernels.
    from fuzzyjoin.cli.joined_output import joined_parts_output
    from fuzzyjoin.index import Matcher, join_in_parts
    from fuzzyjoin.joining import PairDecisions, drift_warnings

    in_one = len(tables.query) <= batch_rows
    with tables.naming_files(), read_decisions(decisions) as people, progress_bars(quiet=quiet) as progress:
        started = time.perf_counter()
        matcher = Matcher.over(
            loaded,
            tables.reference.frame,
            id=tables.id_columns[0],
            indexes=index,
            strict=strict,
            threads=threads,
            progress=progress if in_one else None,
        )
        seconds["reference"] = time.perf_counter() - started
        parts = join_in_parts(
            matcher,
            query_batches(tables, batch_rows),
            output.with_name(f"{output.name}.parts"),
            parts_of={
                "fuzzyjoin": __version__,
                "program_id": loaded.program_id,
                "reference": matcher.side.table.fingerprint(),
                "query": content_hash(query),
                "layout": dataclasses.asdict(tables.query.layout),
                "id_columns": list(tables.id_columns),
                "top": listed,
                "decisions": content_hash(decisions) if decisions else None,
            },
            rows=len(tables.query),
            id_column=tables.id_columns[1],
            progress=progress or (lambda _stage, _done: None),
            top=listed,
            people=None if people is None else PairDecisions.of(people),
        )
    started = time.perf_counter()
    write_all(
        [
            joined_parts_output(parts, tables, batch_rows, path, shown)
            if what == "joined"
            else pieces_output(partial(parts.tables, what), path)
            for what, path in written.items()
        ]
    )
    query_ids = [str(value) for table in parts.tables("matches") for value in table["query_id"][:1].to_pylist()]
    parts.remove()
    said = (
        (parts.kept > 0, f"{parts.kept} finished parts of an earlier run were taken over"),
        (parts.thrown_away, "finished parts of another join, or of another version, stood there and were thrown away"),
    )
    outcome = Outcome(
        program=loaded,
        estimate=parts.precision_estimate,
        counts=parts.counts,
        seconds={**seconds, **parts.seconds, "write": time.perf_counter() - started},
        tables=tables,
        written=written,
        next_steps=next_after_join(tables, written, program, query_ids),
        warnings=(
            *tables.notes,
            *matcher.warnings,
            *parts.conflicts,
            *drift_warnings(loaded.learning_record, parts.counts["query_rows"], parts.counts["matched"]),
            *(sentence for is_so, sentence in said if is_so),
        ),
    )
    print_outcome(outcome, detail=_detail(quiet=quiet, verbose=verbose), as_json=as_json)
    _exit_unless_reachable(loaded)


@app.command()
def index(
    program: ProgramFile,
    reference: Annotated[
        Path | None, typer.Argument(metavar="REFERENCE", help="The reference table, to build its index.")
    ] = None,
    *,
    index: Annotated[
        Path,
        typer.Option(
            "--index", metavar="DIR", help="The folder of indexes to build in; without REFERENCE the index to change."
        ),
    ],
    append: Annotated[
        Path | None, typer.Option("--append", metavar="FILE", help="A table of rows to append, instead of REFERENCE.")
    ] = None,
    delete: Annotated[
        Path | None,
        typer.Option(
            "--delete",
            metavar="FILE",
            help="A table whose id column names rows to delete. With an id in both tables the row is changed.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read the index that DIR names as a whole and check that nothing was changed."),
    ] = False,
    ids: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="NAME", help="REFERENCE's id column. Without it: the column id, else the first unique one."
        ),
    ] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Build the index of a reference table for a stored program, change one, or check one, and print where it is.

    With --append or --delete the index of the changed table is made of the one that DIR names, beside it. Opening an
    index checks a part of every file; --verify checks all of it.
    """
    changes = append is not None or delete is not None
    if [reference is not None, changes, verify].count(True) != 1:
        raise typer.BadParameter(
            "give REFERENCE to build its index, or --append or --delete, or both, to change one, or --verify to check"
        )
    if reference is None and ids is not None:
        raise typer.BadParameter(
            "--id is for REFERENCE; the tables of --append and --delete have the index's id column"
        )

    from fuzzyjoin.cli.inputs import layouts, load_program, read_changes, read_file
    from fuzzyjoin.cli.progress import progress_bars
    from fuzzyjoin.cli.reports import print_warnings

    loaded = load_program(program)
    if reference is not None:
        table = read_file(reference, layouts(delimiter, encoding, sheet)[0])
        print_warnings(table.notes)

        # Only now: a fault in the files is told without waiting for the compiled kernels.
        from fuzzyjoin.index import index_reference

        with table.naming_file(), progress_bars(quiet=quiet) as progress:
            path = index_reference(loaded, table.frame, index, id=ids, threads=threads, progress=progress)
    elif verify:
        from fuzzyjoin.index import verify_index

        verify_index(index, loaded)
        path = index
    else:
        with read_changes(append, delete) as rows:
            from fuzzyjoin.index import update_index

            with progress_bars(quiet=quiet) as progress:
                path = update_index(index, loaded, **rows, threads=threads, progress=progress)
    typer.echo(path)


@app.command()
def explain(
    program: ProgramFile,
    reference: Annotated[
        Path | None, typer.Argument(metavar="REFERENCE", help="The reference table, to explain one query row.")
    ] = None,
    query: Annotated[Path | None, typer.Argument(metavar="QUERY", help="The query table that the row is in.")] = None,
    *,
    query_id: Annotated[
        str | None, typer.Option("--query-id", metavar="ID", help="Why this query row was joined, or was not.")
    ] = None,
    ids: Id = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    decisions: PeopleDecisions = None,
) -> None:
    """Say what a program does, or why it joins a row or not."""
    from fuzzyjoin.cli.inputs import layouts, load_program, read_decisions, read_pair
    from fuzzyjoin.cli.reports import print_warnings

    if reference is None or query is None or query_id is None:
        if not (reference is None and query is None and query_id is None):
            raise typer.BadParameter("to explain a query row, give REFERENCE, QUERY and --query-id all three")
        typer.echo(for_terminal(load_program(program).explain()))
        return
    loaded = load_program(program)
    columns = [(column.reference, column.query) for column in loaded.columns]
    tables = read_pair(reference, query, on=columns, ids=ids, layouts=layouts(delimiter, encoding, sheet))
    with tables.naming_files(), read_decisions(decisions) as people:
        words = loaded.explain_query(
            tables.reference.frame, tables.query.frame, query_id, id=tables.id_columns, decisions=people
        )
    print_warnings(tables.notes)
    typer.echo(for_terminal(words))


@app.command()
def evaluate(
    matches: Annotated[Path, typer.Argument(metavar="MATCHES", help="What join or apply wrote.")],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH", help="The true matches: columns query_id and reference_id, or id_r (query) and id_l."
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Measure a join against known true matches.

    Of several right answers for a query row any counts.
    """
    from fuzzyjoin.cli.inputs import read_matches
    from fuzzyjoin.cli.reports import evaluation_json, evaluation_lines, print_json
    from fuzzyjoin.evaluation import evaluate as measure

    with read_matches(matches, truth) as tables:
        evaluation = measure(*tables)
    if as_json:
        print_json(evaluation_json(evaluation))
    else:
        typer.echo(evaluation_lines(evaluation))


def _detail(*, quiet: bool, verbose: bool) -> "Detail":
    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose contradict each other; give one of them")
    return "quiet" if quiet else "verbose" if verbose else "short"


def _given(**outputs: Path | None) -> dict[str, Path]:
    """Keep the outputs that were asked for, by what goes into them."""
    return {what: path for what, path in outputs.items() if path is not None}


def _listed(top: int | None, candidates: Path | None) -> int | None:
    """How many candidates a row to list, if any."""
    if top is not None and candidates is None:
        raise typer.BadParameter(f"--top {top} lists candidates, but no file is named for them; add --candidates FILE")
    return _TOP if candidates is not None and top is None else top


def _shown_rows(joined: Path | None, how: "How | None") -> "How":
    """Which rows the joined table has; refused without a file that they go to."""
    if how is not None and joined is None:
        raise typer.BadParameter(
            f"--how {how} says which rows --joined FILE gets; add --joined FILE, or leave --how out"
        )
    return how or "left"


def _check_outputs(written: "Mapping[str, Path]", *, inputs: list[Path]) -> None:
    """Refuse outputs that cannot be written, before anything is read."""
    from fuzzyjoin.files import check_outputs, format_of

    for what, path in written.items():
        if what != "program":
            format_of(path)
    check_outputs(list(written.values()), inputs=inputs)


def _finish(
    result: "JoinResult",
    tables: "FilePair",
    written: "Mapping[str, Path]",
    seconds: "Mapping[str, float]",
    how: "How",
    *,
    detail: "Detail",
    as_json: bool,
) -> None:
    """Write what a join made, all of it or nothing, and report."""
    from fuzzyjoin.cli.joined_output import joined_output
    from fuzzyjoin.cli.reports import Outcome, next_after_join, print_outcome
    from fuzzyjoin.files import Output, table_output, write_all

    started = time.perf_counter()
    made = {
        "matches": lambda path: table_output(result.matches, path),
        "unmatched": lambda path: table_output(result.unmatched, path),
        "candidates": lambda path: table_output(result.candidates, path),
        "joined": lambda path: joined_output(result.matches, tables, path, how),
        "program": lambda path: Output(path, result.program.save),
    }
    write_all([made[what](path) for what, path in written.items()])
    outcome = Outcome(
        program=result.program,
        estimate=result.precision_estimate,
        counts=result.counts,
        seconds={**seconds, **result.seconds, "write": time.perf_counter() - started},
        tables=tables,
        written=written,
        next_steps=next_after_join(
            tables, written, written.get("program"), result.matches["query_id"].astype(str).tolist()
        ),
        warnings=(*tables.notes, *result.warnings),
    )
    print_outcome(outcome, detail=detail, as_json=as_json)
    _exit_unless_reachable(result.program)


def _exit_unless_reachable(program: "Program") -> None:
    if not program.reachable:
        raise typer.Exit(_TARGET_UNREACHABLE)
