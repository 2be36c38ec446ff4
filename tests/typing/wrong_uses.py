"""Mistakes of a user, all of which the type checker finds: a comment that expected one in vain would be an error."""

import pandas as pd

import fuzzyjoin
from fuzzyjoin import JoinResult, Matcher, Program, draw_audit, fuzzy_join, index_reference, learn_program


def make_mistakes(reference: pd.DataFrame, query: pd.DataFrame, program: Program, result: JoinResult) -> None:
    fuzzy_join(reference, query, on=3)  # type: ignore[arg-type]
    fuzzy_join(reference, query, "name", "id")  # type: ignore[call-arg]
    fuzzy_join(reference, query, precision="high")  # type: ignore[call-arg]
    fuzzy_join(reference, query, precision_target="0.9")  # type: ignore[arg-type]
    fuzzy_join(reference, query, method="best")  # type: ignore[arg-type]
    learn_program(reference, query, progress=print, threads="two")  # type: ignore[arg-type]
    fuzzyjoin.join(reference, query)  # type: ignore[attr-defined]
    result.precision_estimate.value + 0.1  # type: ignore[operator]
    print(result.match)  # type: ignore[attr-defined]  # noqa: T201
    result.program = program  # type: ignore[misc]
    program.apply(reference)  # type: ignore[call-arg]
    Matcher.open(index_reference(program, reference))  # type: ignore[call-arg]
    draw_audit(result, reference, query, result.matches)  # type: ignore[arg-type]
