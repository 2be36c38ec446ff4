"""Programs and decisions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.definition import Scorer
from fuzzyjoin.errors import UsageError
from fuzzyjoin.figures import apart, rounded_up
from fuzzyjoin.joining.decide import decide, given_scorer, named_scorer, tables_to_join
from fuzzyjoin.joining.result_tables import match_table, not_considered, unmatched_table
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.terminal import cell_for_terminal as cell
from fuzzyjoin.threads import Work

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from fuzzyjoin.blocking import Blocker
    from fuzzyjoin.compare import AnyJoinFunction, Candidates
    from fuzzyjoin.definition import Column, Definition, Equal, LearningRecord
    from fuzzyjoin.joining.pair_decisions import PairDecisions
    from fuzzyjoin.tables import IdColumn, Table

__all__ = ["explain_definition", "explain_query"]

RULES_SHOWN = 5
CANDIDATES_SHOWN = 3
FEATURES_SHOWN = 4
EQUAL_SHOWN = 10


def explain_definition(definition: Definition, record: LearningRecord | None, *, rule_words: bool = True) -> list[str]:
    """What a program does and how it was learned, line by line (see `Program.explain`)."""
    lines = [f"Compares {_columns(definition)}.", *_must_equal(definition), *_placeholders(definition)]
    blocking = definition.blocking
    if blocking.k is not None:
        lines.append(f"Considers the {blocking.k} reference rows that share most with a query row.")
    else:
        lines.append(f"Considers the reference rows that the blocker {blocking.method!r} proposes.")
    lines.append(_rules(definition.negative_rules, words=rule_words))
    decision = definition.decision
    if isinstance(decision, Scorer):
        lines += _scorer(decision, definition.adjustment)
    elif not decision.configurations:
        lines.append("Joins nothing: no union of configurations reaches the precision target.")
    else:
        lines.append("Joins a row to its nearest reference row when any of these distances is small enough:")
        lines += [
            f"  {place}. {part.function_name} <= {part.threshold:.4g}"
            for place, part in enumerate(decision.configurations)
        ]
    return [*lines, *_record(record)]


def _scorer(decision: Scorer, adjustment: object) -> list[str]:
    from fuzzyjoin.scoring import Adjustment  # noqa: PLC0415 - unions do without the scorer's modules

    named = f"The trained scorer {decision.name} ({decision.hash}) scores the candidates of a row."
    if decision.threshold is None:
        return [named, "Joins nothing: no decision threshold reaches the precision target."]
    told = Adjustment.from_json(adjustment).strongest(FEATURES_SHOWN) if adjustment is not None else []
    # Names of features hold commas.
    learned = f"Adjusts the best candidate's score to these tables, mostly by: {'; '.join(told)}."
    return [
        named,
        *([learned] if told else []),
        f"Joins a row to its best candidate if the score is {decision.threshold:.4f} or higher, on a scale from 0 to 1"
        + (f", and the match probability {decision.floor:g} or higher." if decision.floor else "."),
        f"Estimates that the best candidate is wrong for {decision.prior:.0%} of the rows it was learned on.",
    ]


def _columns(definition: Definition) -> str:
    used = [column for column in definition.columns if column.weight > 0.0]
    unused = [column for column in definition.columns if column.weight == 0.0]
    names = [_names(column) + ("" if len(used) == 1 else f" (weight {column.weight:.3g})") for column in used]
    text = ", ".join(names)
    return text + (f"; not {', '.join(column.reference for column in unused)}" if unused else "")


def _must_equal(definition: Definition) -> list[str]:
    if not definition.equal:
        return []
    return [f"Considers only reference rows with the same {' and '.join(map(_names, definition.equal))}."]


def _placeholders(definition: Definition) -> list[str]:
    lines = [
        f"Reads as missing in {_names(column)}: {', '.join(cell(repr(text)) for text in column.missing)}."
        for column in definition.columns_read
        if column.missing
    ]
    # A column that is compared and must be equal too is told of once.
    return list(dict.fromkeys(lines))


def _names(column: Column | Equal) -> str:
    return column.reference if column.reference == column.query else f"{column.reference} with {column.query}"


def _rules(rules: tuple[str, ...], *, words: bool) -> str:
    if not rules:
        return "Has no negative rules."
    if not words:
        return f"Never joins rows that differ in one of {len(rules)} pairs of words."
    shown = ", ".join(rules[:RULES_SHOWN])
    more = ", …" if len(rules) > RULES_SHOWN else ""
    return f"Never joins rows that differ in one of {len(rules)} pairs of words: {shown}{more}."


def _record(record: LearningRecord | None) -> list[str]:
    if record is None:
        return []
    over = f" over the {record.space} space ({record.join_functions} join functions)" if record.join_functions else ""
    learned = (
        f"Learned by method {record.method}{over} for "
        f"precision {record.precision_target}, on {_rows_learned_on(record)}."
    )
    value = record.precision_estimate.value
    if value is None:
        return [learned, "The target is out of reach on these tables: it joined nothing."]
    estimate = record.precision_estimate
    kind = "calibrated" if estimate.calibrated else "the method's own, not calibrated"
    interval = "" if estimate.low is None else f", between {estimate.low:.3f} and {estimate.high:.3f}"
    joined = f"{record.joined} of these query rows" if record.query_sample else f"{record.joined} query rows"
    lines = [
        learned,
        f"It joined {joined} at an estimated precision of {value:.3f}{interval} ({kind}).",
    ]
    others = [f"{other.value:.3f} by {name}" for name, other in record.estimates.items() if name != "posterior"]
    lines += [f"Other estimates of the precision: {', '.join(others)}."] if others else []
    return [*lines, *(f"{warning[0].upper()}{warning[1:]}." for warning in record.warnings)]


def _rows_learned_on(record: LearningRecord) -> str:
    sample, rows = record.query_sample, (record.reference.rows, record.query.rows)
    if sample is None:
        return f"{rows[0]} reference and {rows[1]} query rows"
    return f"{rows[0]} reference rows and a sample of {sample.rows} of {rows[1]} query rows (seed {sample.seed})"


def explain_query(
    definition: Definition,
    record: LearningRecord | None,
    reference: Table,
    query: Table,
    query_id: str,
    *,
    id_column: IdColumn,
    blocker: Blocker | None,
    own: Mapping[str, AnyJoinFunction],
    scorer: str | Path | None,
    people: PairDecisions | None = None,
) -> str:
    """Why one query row is joined, or is not, several lines (see `Program.explain_query`)."""
    every, warnings = tables_to_join(
        definition,
        record,
        reference,
        query,
        id_column=id_column,
        strict=False,
        blocker=blocker,
        pairs=None,
        work=Work(),
    )
    position = every.query.find([query_id])
    if position[0] < 0:
        raise UsageError(
            f"query has no row with the id {query_id!r} in column {every.query.id_column!r}",
            argument="query",
            column=every.query.id_column,
            remedy="give a query_id that it has",
        )
    candidates = every.of_queries(position)
    said = _by_people(people, candidates)
    if isinstance(definition.decision, Scorer):
        lines = _scored(definition, definition.decision, candidates, scorer)
        return "\n".join([*said, *lines, *_considered(candidates)])
    decisions = decide(definition, candidates, own, Stopwatch())
    if decisions.joined:
        lines = _joined(match_table(decisions).iloc[0])
    else:
        lines = [*_not_joined(unmatched_table(decisions).iloc[0]), *_ruled_out(definition, candidates)]
    return "\n".join([*said, *lines, *_considered(candidates), *warnings])


def _by_people(people: PairDecisions | None, candidates: Candidates) -> list[str]:
    """What people decided on the row, before what the program says of it."""
    if people is None:
        return []
    decided = people.on(candidates.query, candidates.reference)
    words = [line.in_words for line in decided.lines]
    return [*words, *decided.conflicts, *(["By itself the program says:"] if words else [])]


def _considered(candidates: Candidates) -> list[str]:
    """How many reference rows equal the only query row in the columns that must be equal."""
    groups, own = candidates.reference_side.groups, candidates.query_groups
    if groups is None or own is None or own[0] < 0:
        return []
    rows, names = int((groups.of_rows == own[0]).sum()), " and ".join(candidates.query.rule_names)
    return [f"Considered only the {rows:,} reference {'row' if rows == 1 else 'rows'} with the same {names}."]


def _scored(definition: Definition, decision: Scorer, candidates: Candidates, scorer: str | Path | None) -> list[str]:
    from fuzzyjoin.scoring import reasons, score_row  # noqa: PLC0415 - unions do without its kernels

    if candidates.query_groups is not None and candidates.query_groups[0] < 0:
        name, text = cell(candidates.query.ids[0]), cell(candidates.query.texts(np.zeros(1, np.int64))[0])
        return [f"Query {name} ({text}) is not joined: {not_considered(candidates, 0)}."]
    row = score_row(candidates, named_scorer(decision, given_scorer(scorer)), definition)
    equal = candidates.reference.equal_ids(int(row.references[0])) if row.references.size else []
    return [*reasons(row, decision, definition.probabilities, candidates), *_equal_words(equal)]


def _equal_words(equal: list[str]) -> list[str]:
    """Which other reference rows have the very values of the best candidate."""
    if not equal:
        return []
    shown = ", ".join(equal[:EQUAL_SHOWN]) + (", …" if len(equal) > EQUAL_SHOWN else "")
    rows, have = ("row", "has") if len(equal) == 1 else ("rows", "have")
    return [
        f"{len(equal):,} other reference {rows} {have} the same compared values: {shown}. The smallest id is named."
    ]


def _joined(match: pd.Series) -> list[str]:
    distance, threshold, second = _distances(match["distance"], match["threshold"], match["runner_up_distance"])
    rivals = round(1.0 / match["precision_estimate"]) - 1
    near = f"{rivals or 'no'} other reference {'row lies' if rivals <= 1 else 'rows lie'}"
    lines = [
        (
            f"Query {cell(match['query_id'])} ({cell(match['query_text'])}) is joined to reference "
            f"{cell(match['reference_id'])} ({cell(match['reference_text'])})."
        ),
        (
            f"Configuration {match['configuration']}, {match['join_function']}: distance {distance},"
            f" at most {threshold} joins."
        ),
        (f"Match probability {match['precision_estimate']:.3f}, because {near} within twice that threshold of it."),
    ]
    others = int(match["equal_reference_rows"])
    if others:
        lines.append(
            f"{others:,} other reference {'row has' if others == 1 else 'rows have'} the same compared values."
        )
    if match["runner_up_id"] is None:
        return [*lines, "There is no other candidate."]
    runner_up = (
        f"Runner-up: reference {cell(match['runner_up_id'])} at distance {second}, {match['margin']:.4g} farther."
    )
    return [*lines, runner_up]


def _not_joined(row: pd.Series) -> list[str]:
    lines = [f"Query {cell(row['query_id'])} ({cell(row['query_text'])}) is not joined: {row['reason']}."]
    if row["best_reference_id"] is None:
        return lines
    distance, threshold, _ = _distances(row["best_distance"], row["best_threshold"])
    nearest = (
        f"Nearest to being joined: reference {cell(row['best_reference_id'])} ({cell(row['best_reference_text'])})"
        f" by configuration {row['best_configuration']}: distance {distance},"
        f" at most {threshold} joins."
    )
    return [
        *lines,
        nearest,
        f"It would join at a threshold of {rounded_up(row['best_distance'], digits=4, kind='g')}.",
    ]


def _distances(distance: float, threshold: float, second: float = np.nan) -> list[str]:
    """A distance, the threshold and the runner-up's distance, told apart."""
    return apart(distance, threshold, second, digits=4, kind="g")


def _ruled_out(definition: Definition, candidates: Candidates) -> list[str]:
    """The candidates that a negative rule took away, with the rule."""
    if definition.blocking.k is None:
        return []
    rules = definition.rules()
    forbidden = rules.forbid(candidates.query_pairs, candidates.query_words, candidates.index.words)
    lines = []
    for place in candidates.query_pairs.reference[forbidden][:CANDIDATES_SHOWN].tolist():
        rule = rules.between(candidates.query_texts[0], candidates.reference_side.blocking_texts[place])
        text = cell(candidates.reference.texts(np.array([place]))[0])
        reference_id = cell(candidates.reference.ids[place])
        lines.append(f"Ruled out: reference {reference_id} ({text}), because {rule} tells reference rows apart.")
    return lines
