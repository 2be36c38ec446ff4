"""A user's code, which the type checker accepts; it is checked and never run."""

from pathlib import Path
from typing import assert_type

import pandas as pd
import pyarrow as pa

import fuzzyjoin
from fuzzyjoin import (
    AuditDesign,
    AuditLabels,
    AuditReport,
    AuditSample,
    BlockedPairs,
    JoinResult,
    Matcher,
    PrecisionEstimate,
    Program,
    block_tables,
    draw_audit,
    fuzzy_join,
    index_reference,
    learn_program,
    measure_audit,
    read_labels,
    update_index,
)


def join_two_tables(reference: pd.DataFrame, query: pa.Table) -> float | None:
    result = fuzzy_join(reference, query, on="name", precision_target=0.9)
    assert_type(result, JoinResult)
    assert_type(fuzzyjoin.fuzzy_join(reference, query), JoinResult)
    assert_type(result.program, Program)
    assert_type(result.counts, dict[str, int])
    assert_type(result.warnings, tuple[str, ...])
    assert_type(result.id_columns, tuple[str, str])
    assert_type(result.precision_estimate, PrecisionEstimate)
    assert_type(result.precision_estimate.calibrated, bool)
    return result.precision_estimate.low


def name_columns(reference: pd.DataFrame, query: pd.DataFrame) -> None:
    fuzzy_join(reference, query, on=["name", ("town", "city")], id=("id", "key"))
    fuzzy_join(reference, query, on={"name": "title"}, id="id", method="autofj", space="large")
    fuzzy_join(reference, query, "name", equal="state")
    learn_program(reference, query, "name", equal=["state", ("town", "city")])
    assert_type(block_tables(reference, query, "name", equal={"state": "st"}), BlockedPairs)
    fuzzy_join(reference, query, progress=lambda stage, done: print(stage.upper(), done + 0.5), threads=2)  # noqa: T201


def learn_once_and_apply_often(reference: pd.DataFrame, query: pd.DataFrame, file: Path) -> str:
    program = learn_program(reference, query, on="name", min_probability=0.5)
    assert_type(program, Program)
    assert_type(program.reachable, bool)
    program.save(file)
    program.save("program.json")
    assert_type(Program.load(file).apply(reference, query), JoinResult)
    assert_type(program.explain_query(reference, query, "4"), str)
    return program.program_id


def show_both_tables(result: JoinResult, reference: pd.DataFrame) -> pd.DataFrame:
    assert_type(result.joined(), pd.DataFrame)
    return result.joined("full", suffix="_of_shop", reference=reference)


def look_rows_up(program: Program, reference: pd.DataFrame, rows: pd.DataFrame) -> JoinResult:
    index = index_reference(program, reference, "indexes")
    assert_type(index, Path)
    matcher = Matcher.open(update_index(index, program, append=rows), "program.json")
    assert_type(matcher, Matcher)
    return matcher.lookup(rows, id="id")


def block_before_learning(reference: pd.DataFrame, query: pd.DataFrame) -> Program:
    pairs = block_tables(reference, query, on="name")
    assert_type(pairs, BlockedPairs)
    return learn_program(reference, query, on="name", pairs=pairs)


def measure_by_labels(result: JoinResult, reference: pd.DataFrame, query: pd.DataFrame) -> AuditReport:
    sample = draw_audit(result.program, reference, query, result.matches, result.unmatched, show=["town"])
    assert_type(sample, AuditSample)
    assert_type(sample.design, AuditDesign)
    labels = read_labels("sheet.csv", sample.design)
    assert_type(labels, AuditLabels)
    return measure_audit(sample.design, labels)


def act_on_an_error(reference: pd.DataFrame, query: pd.DataFrame) -> int:
    try:
        fuzzy_join(reference, query)
    except fuzzyjoin.FuzzyJoinError as error:
        return error.exit_code
    return 0
