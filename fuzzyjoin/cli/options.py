"""Arguments and options that several commands share."""

# No postponed annotations here: typer reads these at run time.
import math
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

__all__ = [
    "PROGRAM_OUT",
    "BatchRows",
    "Candidates",
    "Delimiter",
    "Encoding",
    "Equal",
    "HowJoined",
    "Id",
    "Index",
    "Joined",
    "Json",
    "KeepPlaceholders",
    "Matches",
    "Method",
    "MinProbability",
    "NegativeRules",
    "On",
    "PeopleDecisions",
    "PrecisionTarget",
    "ProgramFile",
    "ProgramOut",
    "Query",
    "Quiet",
    "Reference",
    "ReviewProbability",
    "Sheet",
    "Space",
    "Threads",
    "Top",
    "Unmatched",
    "Verbose",
    "Yes",
]


def _between_zero_and_one(value: float) -> float:
    if not (math.isfinite(value) and 0.0 < value < 1.0):
        raise typer.BadParameter(f"{value:g} is not between 0 and 1, both excluded; give for example 0.9")
    return value


def _from_zero_below_one(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and 0.0 <= value < 1.0):
        raise typer.BadParameter(f"{value:g} is not at least 0 and below 1; give for example 0.5")
    return value


Reference: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="REFERENCE",
        help="The clean list, nearly free of duplicates: .csv, .tsv, .jsonl, each .gz too, .xlsx or .parquet.",
    ),
]
Query: TypeAlias = Annotated[
    Path, typer.Argument(metavar="QUERY", help="The rows to look up in it, in any of these formats.")
]
ProgramFile: TypeAlias = Annotated[
    Path, typer.Argument(metavar="PROGRAM", help="A program.json written by --program-out.")
]
On: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        metavar="NAME",
        help="Column to compare; repeat for several, write ref=query where the names differ. Without it: all columns "
        "that both tables have, except the ids and those of --equal.",
    ),
]
Equal: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--equal",
        metavar="NAME",
        help="Column whose values must be equal, case set aside: no other reference row is looked at; repeat for "
        "several, write ref=query where the names differ. An empty value equals nothing.",
    ),
]
Id: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="NAME",
        help="Id column, ref=query where the names differ. Without it: the column id, else the first whose values are "
        "unique, in each table.",
    ),
]
Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", help="Without --on: compare the columns that the values suggest, without asking.")
]
Delimiter: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="What stands between the fields of both CSV files: , ; | or tab; ref=query where they differ. Without it: "
        "found, and said if it is not that of the ending.",
    ),
]
Encoding: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="Encoding of both CSV files, such as windows-1250; ref=query where they differ. Without it: UTF-8, UTF-16 "
        "with a byte order mark, or Windows-1252 where that is sure.",
    ),
]
Sheet: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="Sheet of both Excel workbooks; ref=query where they differ. Without it: the first that holds anything.",
    ),
]
PrecisionTarget: TypeAlias = Annotated[
    float,
    typer.Option(
        "--precision-target",
        metavar="SHARE",
        callback=_between_zero_and_one,
        help="Share of the joined rows that should be right, between 0 and 1.",
    ),
]
MinProbability: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--min-probability",
        metavar="SHARE",
        callback=_from_zero_below_one,
        help="Match probability below which no row is joined: 0.5 unless set; 0 joins the largest set that meets the "
        "target. The joined rows can so exceed the target. Not for autofj.",
    ),
]
ReviewProbability: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--review-probability",
        metavar="SHARE",
        callback=_from_zero_below_one,
        help="Match probability from which an unmatched row is in the band review: 0.2 unless set. It changes nothing "
        "that is joined. Not for autofj.",
    ),
]
Space: TypeAlias = Annotated[
    Literal["small", "medium", "large"] | None,
    typer.Option("--space", help="How many join functions to search: small is the default of autofj."),
]
Method: TypeAlias = Annotated[
    Literal["auto", "autofj"],
    typer.Option(
        "--method",
        help="autofj: the paper's algorithm, on the small space unless --space is given; auto: what measures best, a "
        "trained scorer, or the paper's algorithm if --space is given.",
    ),
]
NegativeRules: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--negative-rules/--no-negative-rules",
        help="Whether to learn pairs of words that forbid a match, from reference rows that differ in them alone.",
    ),
]
KeepPlaceholders: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--keep-placeholders",
        help='Compare "N/A", "-" and the like as texts. Without it: those that the data show to be placeholders are '
        "read as missing, and said.",
    ),
]
Matches: TypeAlias = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="Where the matches go, one row a matched query row."),
]
Unmatched: TypeAlias = Annotated[
    Path | None,
    typer.Option("--unmatched-out", metavar="FILE", help="Where the other query rows go: best candidate and reason."),
]
Candidates: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--candidates",
        metavar="FILE",
        help="Where the best candidates of every query row go, with their match probabilities. Not for autofj.",
    ),
]
Top: TypeAlias = Annotated[
    int | None,
    typer.Option("--top", min=1, metavar="K", help="How many candidates a query row go to --candidates: 5 unless set."),
]
PeopleDecisions: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--decisions",
        metavar="FILE",
        help="What people decided on pairs: columns query_id, reference_id (none for no match), and by, when, why. It "
        "stands over what the program decides.",
    ),
]
Joined: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--joined",
        metavar="FILE",
        help="Where the joined table goes: the columns of both tables side by side, and the match probability.",
    ),
]
HowJoined: TypeAlias = Annotated[
    Literal["left", "inner", "anti", "full"] | None,
    typer.Option(
        "--how",
        help="Which rows --joined gets. left, unless set: every query row; inner: the matched ones; anti: the others, "
        "with the query table's columns alone; full: every row of both tables.",
    ),
]
PROGRAM_OUT = typer.Option("--program-out", metavar="FILE", help="Where the program goes, as JSON.")
ProgramOut: TypeAlias = Annotated[Path | None, PROGRAM_OUT]
Threads: TypeAlias = Annotated[
    int | None,
    typer.Option("--threads", min=1, metavar="N", help="Threads to use, without it all cores; the result is the same."),
]
Index: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--index",
        metavar="DIR",
        help="A folder of indexes: that of the reference table is opened there, and built before if it is absent.",
    ),
]
BatchRows: TypeAlias = Annotated[
    int,
    typer.Option(
        "--batch-rows",
        min=1,
        metavar="N",
        help="Query rows that are joined at a time: fewer take less memory; the result is the same. What was joined "
        "when a run was stopped need not be joined again.",
    ),
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", help="Show no progress and no summary; errors and warnings stay.")
]
Verbose: TypeAlias = Annotated[
    bool,
    typer.Option("--verbose", help="Also show every warning, both tables, the program in words and seconds a stage."),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object on stdout.")]
