"""The app that the commands belong to."""

from __future__ import annotations

from typing import Final

import typer

from fuzzyjoin.cli import OneLineErrors
from tasks.warehouse.cli import answers, orders

__all__ = ["app"]


class _Commands(OneLineErrors):
    interrupted = "interrupted; what was not yet committed is undone"


app: Final = typer.Typer(
    cls=_Commands,
    help="The warehouse: migrate it, ask it why, compare runs and programs, decide on programs, erase.",
    epilog="FUZZYJOIN_WAREHOUSE_URL names the warehouse, FUZZYJOIN_WAREHOUSE_PASSWORD is its password. "
    "Of an id of a run or program its beginning is enough, if no other begins so.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(orders.migrate)
app.command()(answers.runs)
app.command()(answers.run)
app.command()(answers.history)
# An id that begins with a minus is none of the options.
app.command(context_settings={"ignore_unknown_options": True})(answers.why)
app.command()(answers.changes)
app.command()(answers.diff)
app.command()(answers.program)
app.command()(answers.replay)
app.command()(orders.approve)
app.command()(orders.refuse)
app.command()(orders.rollback)
app.command()(orders.erase)
app.command("audit-draw")(answers.audit_draw)
app.command("audit-record")(orders.audit_record)
