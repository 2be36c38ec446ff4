"""Errors of the command line: one line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperGroup

from fuzzyjoin.endings import INTERRUPTED, PIPE_CLOSED
from fuzzyjoin.errors import FuzzyJoinError
from fuzzyjoin.terminal import for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OneLineErrors", "exit_code"]

_TRACEBACK_VARIABLE = "FUZZYJOIN_TRACEBACK"


class OneLineErrors(TyperGroup):
    """Commands whose errors all read `error: what is wrong and what to do`."""

    interrupted: ClassVar[str] = "interrupted; no output was changed"
    """What Ctrl-C leaves behind."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - the signature that is overridden
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - as above
        **extra: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Run, print an error as one line, and exit."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode, windows_expand_args, **extra)
        sys.exit(self._run(args, prog_name, complete_var, windows_expand_args, extra))

    def _run(
        self,
        args: Sequence[str] | None,
        prog_name: str | None,
        complete_var: str | None,
        windows_expand_args: bool,  # noqa: FBT001 - passed on
        extra: dict[str, Any],
    ) -> int:
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)  # noqa: FBT003
        except SystemExit:
            # typer and rich exit by themselves where a pipe has closed, with the code of a problem in the data.
            return PIPE_CLOSED
        except FuzzyJoinError as error:
            return _report(str(error), error.exit_code)
        except typer.TyperException as error:
            return _report(
                f"{error.format_message().rstrip('.')}; see {prog_name or 'fuzzyjoin'} --help", error.exit_code
            )
        except Exception as error:
            if os.environ.get(_TRACEBACK_VARIABLE):
                raise
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            return _report(f"internal error ({what}); rerun with {_TRACEBACK_VARIABLE}=1 to see where it arose", 1)
        if code == INTERRUPTED:
            return _report(self.interrupted, code)
        return code if isinstance(code, int) else 0


def exit_code(app: typer.Typer, arguments: Sequence[str] | None, *, prog_name: str) -> int:
    """Run an app whose class is `OneLineErrors`, and return the code that it would exit with."""
    try:
        app(arguments, prog_name=prog_name)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _report(message: str, exit_code: int) -> int:
    typer.echo(f"error: {for_terminal(' '.join(message.split()))}", err=True)
    return exit_code
