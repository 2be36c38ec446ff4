"""The commands of the labelled audit: draw a sample, label it, report what the labels say."""
# ruff: noqa: PLC0415 - what takes long to import is imported inside the commands, as in `app`

# No postponed annotations here: typer reads these at run time.
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from fuzzyjoin.cli.options import Delimiter, Encoding, Id, Json, ProgramFile, Query, Quiet, Reference, Sheet
from fuzzyjoin.terminal import for_terminal

if TYPE_CHECKING:
    from fuzzyjoin.evaluation import AuditDesign, AuditLabels

__all__ = ["audit"]

audit = typer.Typer(
    help="Measure precision and recall by the labels of a person: draw, label, report.",
    no_args_is_help=False,
    rich_markup_mode=None,
)

SheetFile: TypeAlias = Annotated[Path, typer.Argument(metavar="SHEET", help="The sheet that draw wrote.")]


@audit.command()
def draw(
    program: ProgramFile,
    reference: Reference,
    query: Query,
    matches: Annotated[Path, typer.Argument(metavar="MATCHES", help="What join or apply wrote.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the sheet goes that a person labels, a .csv.")
    ],
    design_out: Annotated[
        Path,
        typer.Option("--design-out", metavar="FILE", help="Where the design goes, as JSON, which the report needs."),
    ],
    unmatched: Annotated[
        Path | None,
        typer.Option(
            "--unmatched", metavar="FILE", help="What --unmatched-out wrote; without it recall is not measured."
        ),
    ] = None,
    ids: Id = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    from_matches: Annotated[
        int, typer.Option("--from-matches", min=1, metavar="N", help="Matches to draw, rounded up to a multiple of 4.")
    ] = 120,
    from_near_misses: Annotated[
        int,
        typer.Option(
            "--from-near-misses", min=0, metavar="N", help="Rows that were not joined to draw, rounded up likewise."
        ),
    ] = 80,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another seed draws another sample.")] = 0,
    show: Annotated[
        list[str] | None,
        typer.Option("--show", metavar="NAME", help="A further column to show beside the compared ones; repeat it."),
    ] = None,
    earlier: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--earlier", metavar="SHEET DESIGN", help="A labelled sheet and its design, whose labels are kept."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Draw a blind sample of matches and near-misses for a person to label.

    The sheet shows no score and not whether the rows were joined; keep the design from the person who labels.
    """
    from fuzzyjoin.evaluation import require_csv
    from fuzzyjoin.files import check_outputs

    inputs = [program, reference, query, matches, *([unmatched] if unmatched else []), *(earlier or ())]
    require_csv(output)
    check_outputs([output, design_out], inputs=inputs)

    from fuzzyjoin.cli.inputs import layouts, load_program, read_pair, read_result
    from fuzzyjoin.cli.reports import print_warnings
    from fuzzyjoin.evaluation import draw_audit, sheet_output
    from fuzzyjoin.files import Output, write_all

    loaded = load_program(program)
    columns = [(column.reference, column.query) for column in loaded.columns]
    tables = read_pair(reference, query, on=columns, ids=ids, layouts=layouts(delimiter, encoding, sheet))
    print_warnings(tables.notes)
    with tables.naming_files(), read_result(matches, unmatched) as (joined, left):
        sample = draw_audit(
            loaded,
            tables.reference.frame,
            tables.query.frame,
            joined,
            left,
            id=tables.id_columns,
            from_matches=from_matches,
            from_near_misses=from_near_misses,
            seed=seed,
            show=show or (),
            earlier=_labelled(*earlier) if earlier else None,
        )
    write_all([sheet_output(sample.sheet, output), Output(design_out, sample.design.save)])
    from fuzzyjoin.cli.reports import draw_summary, print_warnings

    print_warnings(sample.warnings)
    if not quiet:
        typer.echo(for_terminal(draw_summary(sample, output, design_out)), err=True)


@audit.command()
def label(context: typer.Context, sheet: SheetFile) -> None:
    """Label a sheet at the terminal, one pair at a time; every answer is saved at once.

    Rerun it to resume. A spreadsheet does as well: write yes, no or unsure in the column label.
    """
    from fuzzyjoin.cli.labelling import label_sheet
    from fuzzyjoin.files import check_outputs, locked

    check_outputs([sheet], inputs=[])
    # Each answer is saved with the whole sheet: of two at once the second would take the answers of the first away.
    context.with_resource(locked(sheet))
    label_sheet(sheet)


@audit.command()
def report(
    sheet: SheetFile,
    design: Annotated[Path, typer.Argument(metavar="DESIGN", help="The design that draw wrote with it.")],
    *,
    as_json: Json = False,
) -> None:
    """Say how precise the join is by the labels, with an interval, beside the program's own estimate.

    Nothing is changed by it, no program either.
    """
    from fuzzyjoin.cli.reports import print_json
    from fuzzyjoin.evaluation import measure_audit

    measured = measure_audit(*_labelled(sheet, design))
    if as_json:
        print_json(measured.as_json())
    else:
        typer.echo(for_terminal(measured.explain()))


def _labelled(sheet: Path, design: Path) -> "tuple[AuditDesign, AuditLabels]":
    from fuzzyjoin.evaluation import AuditDesign, read_labels
    from fuzzyjoin.files import require_file

    require_file(design)
    loaded = AuditDesign.load(design)
    return loaded, read_labels(sheet, loaded)
