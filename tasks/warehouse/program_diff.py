"""The difference of two programs in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzyjoin.definition import Scorer, Union
from fuzzyjoin.figures import apart

if TYPE_CHECKING:
    from fuzzyjoin import Program
    from fuzzyjoin.definition import Blocking, Decision, Definition

__all__ = ["diff_programs"]

RULES_SHOWN = 5


def diff_programs(before: Program, after: Program, *, rule_words: bool = True) -> tuple[str, ...]:
    """What decides differently in the second program, one sentence each; none if they are the same program."""
    if before.program_id == after.program_id:
        return ()
    old, new = before.definition, after.definition
    lines = [*_columns(before, after), *_equal(old, new)]
    if old.blocking != new.blocking:
        lines.append(f"Candidates come from {_blocking(new.blocking)} instead of {_blocking(old.blocking)}.")
    lines += _decision(old.decision, new.decision)
    lines += _rules("gained", sorted(set(new.negative_rules) - set(old.negative_rules)), words=rule_words)
    lines += _rules("lost", sorted(set(old.negative_rules) - set(new.negative_rules)), words=rule_words)
    if old.calibration != new.calibration:
        lines.append("The calibration differs.")
    if not lines and old == new:
        versions = f"{after.schema_version} instead of {before.schema_version}"
        return (f"Both decide alike: the second is written in schema version {versions}.",)
    return tuple(lines) or ("The same parts stand in another order.",)


def _columns(before: Program, after: Program) -> list[str]:
    old = {(column.reference, column.query): column.weight for column in before.columns}
    new = {(column.reference, column.query): column.weight for column in after.columns}
    lines = [f"Column {_pair(pair)} is no longer compared." for pair in old if pair not in new]
    lines += [f"Column {_pair(pair)} is compared now, weight {new[pair]:.3g}." for pair in new if pair not in old]
    for pair, weight in old.items():
        if new.get(pair, weight) != weight:
            now, then = apart(new[pair], weight, digits=3, kind="g")
            lines.append(f"Column {_pair(pair)} weighs {now} instead of {then}.")
    return lines


def _equal(old: Definition, new: Definition) -> list[str]:
    then, now = ([(column.reference, column.query) for column in which.equal] for which in (old, new))
    return [
        *(f"Candidates need no longer be equal in {_pair(pair)}." for pair in then if pair not in now),
        *(f"Candidates must be equal in {_pair(pair)}." for pair in now if pair not in then),
    ]


def _pair(names: tuple[str, str]) -> str:
    return names[0] if names[0] == names[1] else f"{names[0]} with {names[1]}"


def _blocking(blocking: Blocking) -> str:
    if blocking.k is None:
        return f"the blocker {blocking.method!r}"
    return f"the {blocking.k} reference rows that share most with a query row"


def _decision(old: Decision, new: Decision) -> list[str]:
    if isinstance(old, Union) and isinstance(new, Union):
        return _configurations(old, new)
    if old == new:
        return []
    return [f"{_decider(new)} decides instead of {_decider(old)}."]


def _decider(decision: Decision) -> str:
    if isinstance(decision, Scorer):
        return (
            f"scorer {decision.name} ({decision.hash}) with prior {decision.prior}, "
            f"decision threshold {decision.threshold} and least match probability {decision.floor:g}"
        )
    return f"a union of {len(decision.configurations)} configurations"


def _configurations(old: Union, new: Union) -> list[str]:
    before = {part.function_name: part.threshold for part in old.configurations}
    after = {part.function_name: part.threshold for part in new.configurations}
    lines = [
        f"{name} no longer joins (it did up to {threshold:.4g})."
        for name, threshold in before.items()
        if name not in after
    ]
    lines += [f"{name} joins now, up to {threshold:.4g}." for name, threshold in after.items() if name not in before]
    for name, threshold in before.items():
        if name in after and after[name] != threshold:
            word = "more" if after[name] > threshold else "fewer"
            now, then = apart(after[name], threshold, digits=4, kind="g")
            lines.append(f"{name} joins up to {now} instead of {then}: {word} rows.")
    return lines


def _rules(verb: str, rules: list[str], *, words: bool) -> list[str]:
    if not rules:
        return []
    number = f"It {verb} {len(rules)} negative {'rule' if len(rules) == 1 else 'rules'}"
    if not words:
        return [f"{number}."]
    shown = ", ".join(rules[:RULES_SHOWN]) + (", …" if len(rules) > RULES_SHOWN else "")
    return [f"{number}: {shown}."]
