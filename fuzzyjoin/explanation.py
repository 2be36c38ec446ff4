"""Programs and decisions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.candidates import Candidates
from fuzzyjoin.errors import UsageError
from fuzzyjoin.program import Scorer
from fuzzyjoin.tables import as_frame, as_text, choose_columns, key_tables
from fuzzyjoin.threads import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from fuzzyjoin.blocking import Blocker
    from fuzzyjoin.join_functions import CustomJoinFunction
    from fuzzyjoin.program import Program
    from fuzzyjoin.tables import IdColumn, Table

__all__ = ["explain_program", "explain_query"]

RULES_SHOWN = 5
CANDIDATES_SHOWN = 3


def explain_program(program: Program, *, rule_words: bool = True) -> str:
    """The program in words, several lines; without `rule_words` its negative rules, which are data, as a number."""
    definition = program.definition
    lines = [f"Program {program.program_id}"]
    lines += [f"Compares {_columns(program)}."]
    blocking = definition.blocking
    if blocking.k is not None:
        lines.append(f"Looks at the {blocking.k} reference rows that share most with a query row.")
    else:
        lines.append(f"Looks at the reference rows that the blocker {blocking.method!r} proposes.")
    lines.append(_rules(definition.negative_rules, words=rule_words))
    decision = definition.decision
    if isinstance(decision, Scorer):
        lines.append(f"Joins a row whose best candidate the scorer {decision.name} puts at {decision.cut} or higher.")
    elif not decision.configurations:
        lines.append("Joins nothing: no union of configurations reaches the precision target.")
    else:
        lines.append("Joins a row to its nearest reference row when any of these distances is small enough:")
        lines += [
            f"  {place}. {part.function_name} <= {part.threshold:.4g}"
            for place, part in enumerate(decision.configurations)
        ]
    lines += _record(program)
    return "\n".join(lines)


def _columns(program: Program) -> str:
    used = [column for column in program.columns if column.weight > 0.0]
    unused = [column for column in program.columns if column.weight == 0.0]
    names = [
        (column.reference if column.reference == column.query else f"{column.reference} with {column.query}")
        + ("" if len(used) == 1 else f" (weight {column.weight:.3g})")
        for column in used
    ]
    text = ", ".join(names)
    return text + (f"; not {', '.join(column.reference for column in unused)}" if unused else "")


def _rules(rules: tuple[str, ...], *, words: bool) -> str:
    if not rules:
        return "Has no negative rules."
    if not words:
        return f"Never joins rows that differ in one of {len(rules)} pairs of words."
    shown = ", ".join(rules[:RULES_SHOWN])
    more = ", …" if len(rules) > RULES_SHOWN else ""
    return f"Never joins rows that differ in one of {len(rules)} pairs of words: {shown}{more}."


def _record(program: Program) -> list[str]:
    record = program.learning_record
    if record is None:
        return []
    learned = (
        f"Learned by method {record.method} over the {record.space} space ({record.join_functions} join functions) for "
        f"precision {record.precision_target}, on {record.reference.rows} reference and {record.query.rows} query rows."
    )
    value = record.precision_estimate.value
    if value is None:
        return [learned, "The target is out of reach on these tables: it joined nothing."]
    kind = "calibrated" if record.precision_estimate.calibrated else "the method's own, not calibrated"
    return [learned, f"It joined {record.joined} query rows at an estimated precision of {value:.3f} ({kind})."]


def explain_query(
    program: Program,
    reference: Table,
    query: Table,
    query_id: str,
    *,
    id: IdColumn = None,  # noqa: A002 - the column is called id
    blocker: Blocker | None = None,
    join_functions: Sequence[CustomJoinFunction] = (),
) -> str:
    """Why a program joins one query row, or does not, several lines.

    Parameters
    ----------
    program
        The program.
    reference, query
        The tables.
    query_id
        The row's id, as text.
    id, blocker, join_functions
        As for `Program.apply`.

    Raises
    ------
    UsageError
        If the query table has no such id, or the program needs the user's own parts.
    DataError
        If a table cannot be joined.
    """
    frames = as_frame(reference, "reference"), as_frame(query, "query")
    ids, pairs = choose_columns([(column.reference, column.query) for column in program.columns], id, *frames)
    wanted = frames[1][[as_text(value) == query_id for value in frames[1][ids[1]]]]
    if wanted.empty:
        raise UsageError(f"query_id is {query_id!r}, which column {ids[1]!r} of query does not hold; give one it holds")
    result = program.apply(frames[0], wanted, id=ids, blocker=blocker, join_functions=join_functions)
    if len(result.matches):
        lines = _joined(result.matches.iloc[0])
    else:
        lines = _not_joined(result.unmatched.iloc[0])
        lines += _ruled_out(program, frames[0], wanted, pairs, ids)
    return "\n".join([*lines, *result.warnings])


def _joined(match: pd.Series) -> list[str]:
    rivals = round(1.0 / match["precision_estimate"]) - 1
    crowd = f"{rivals or 'no'} other reference {'row lies' if rivals <= 1 else 'rows lie'}"
    lines = [
        (
            f"Query {match['query_id']} ({match['query_text']}) is joined to reference {match['reference_id']}"
            f" ({match['reference_text']})."
        ),
        (
            f"Configuration {match['configuration']}, {match['join_function']}: distance {match['distance']:.4g},"
            f" at most {match['threshold']:.4g} joins."
        ),
        (
            f"Estimated probability that this is right: {match['precision_estimate']:.3f},"
            f" because {crowd} within twice that threshold of it."
        ),
    ]
    if match["runner_up_id"] is None:
        return [*lines, "There is no other candidate."]
    runner_up = (
        f"Runner-up: reference {match['runner_up_id']} at distance {match['runner_up_distance']:.4g},"
        f" {match['margin']:.4g} farther."
    )
    return [*lines, runner_up]


def _not_joined(row: pd.Series) -> list[str]:
    lines = [f"Query {row['query_id']} ({row['query_text']}) is not joined: {row['reason']}."]
    if row["best_reference_id"] is None:
        return lines
    nearest = (
        f"Nearest to being joined: reference {row['best_reference_id']} ({row['best_reference_text']})"
        f" by configuration {row['best_configuration']}: distance {row['best_distance']:.4g},"
        f" at most {row['best_threshold']:.4g} joins."
    )
    return [*lines, nearest, f"A threshold of {row['best_distance']:.4g} would have let it in."]


def _ruled_out(
    program: Program,
    reference: pd.DataFrame,
    query: pd.DataFrame,
    pairs: list[tuple[str, str]],
    ids: tuple[str, str],
) -> list[str]:
    """The candidates that a negative rule took away, with the rule."""
    k = program.definition.blocking.k
    if k is None:
        return []
    rules = program.negative_rules
    candidates = Candidates(*key_tables(reference, query, ids, pairs), k, Work(), rules)
    forbidden = rules.forbid(candidates.query_pairs, candidates.query_words, candidates.index.words)
    lines = []
    for place in candidates.query_pairs.reference[forbidden][:CANDIDATES_SHOWN].tolist():
        rule = rules.between(candidates.query_texts[0], candidates.reference_texts[place])
        text = candidates.reference.texts(np.array([place]))[0]
        reference_id = candidates.reference.ids[place]
        lines.append(f"Ruled out: reference {reference_id} ({text}), because {rule} tells reference rows apart.")
    return lines
