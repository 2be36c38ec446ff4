"""What an index of a reference table must hold: known from a program, or before one is learned."""

from __future__ import annotations

import hashlib
import unicodedata
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from fuzzyjoin.blocking import NegativeRules
from fuzzyjoin.definition import Blocking, CustomFunctionName, Part, Scorer
from fuzzyjoin.distribution import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import BlockerName
    from fuzzyjoin.definition import Definition
    from fuzzyjoin.tables import KeyTable, Missing

__all__ = ["IndexNeeds"]

SCORER_FORMS: Final = ("scorer",)
"""What the manifest says in place of forms where a scorer compares: all that it asks for."""


class IndexNeeds(Part):
    """What an index must hold, whatever the reference table.

    What a scorer asks for does not depend on what is learned, so the index to learn on is the one to join by. A union
    also asks for the words of its rules and for the forms that its join functions compare: its index is made of the one
    to learn on.

    Attributes
    ----------
    columns
        The reference table's compared columns.
    used
        Which of them a union compares; the others only block. A scorer looks at all.
    blocking
        How candidate pairs are found.
    rules
        Negative rules, whose words enter the vocabulary even if the reference table lacks them.
    scorer
        Whether a scorer decides.
    missing
        Placeholders that are read as missing, for each pair of compared columns, then of those that must be equal; none
        for no pair.
    equal
        The reference table's columns whose values must be equal.
    forms
        Forms of the columns that a union compares, ascending: "preprocessing" or "preprocessing/tokenisation".

    Examples
    --------
    >>> needs = IndexNeeds.to_learn(["name"], "lexical", 14)
    >>> needs.forms, needs == needs.to_block()
    ((), True)
    """

    columns: tuple[str, ...]
    used: tuple[bool, ...]
    blocking: Blocking
    rules: tuple[str, ...] = ()
    scorer: bool
    forms: tuple[str, ...] = ()
    missing: tuple[tuple[str, ...], ...] = Field(default=(), exclude_if=lambda value: not value)
    equal: tuple[str, ...] = Field(default=(), exclude_if=lambda value: not value)

    @classmethod
    def of(cls, definition: Definition) -> IndexNeeds:
        """What joining by a definition needs; join functions of the user's own need nothing."""
        decision = definition.decision
        scorer = isinstance(decision, Scorer)
        functions = (
            []
            if isinstance(decision, Scorer)
            else [
                part.join_function
                for part in decision.configurations
                if not isinstance(part.join_function, CustomFunctionName)
            ]
        )
        return cls(
            columns=tuple(column.reference for column in definition.columns),
            used=tuple(scorer or column.weight > 0.0 for column in definition.columns),
            blocking=definition.blocking,
            rules=definition.negative_rules,
            scorer=scorer,
            forms=tuple(sorted({"/".join(filter(None, (f.preprocess, f.tokenise))) for f in functions})),
            missing=definition.missing,
            equal=tuple(column.reference for column in definition.equal),
        )

    @classmethod
    def to_learn(
        cls, columns: Sequence[str], blocker: BlockerName, k: int, missing: Missing = (), equal: Sequence[str] = ()
    ) -> IndexNeeds:
        """What learning needs, by the built-in blocker and the k of its settings (see `LearningSettings.blocking`)."""
        return cls(
            columns=tuple(columns),
            used=(True,) * len(columns),
            blocking=Blocking(method=blocker, k=k, equal_rows="merged"),
            scorer=blocker == "cosine",
            missing=missing,
            equal=tuple(equal),
        )

    def to_block(self) -> IndexNeeds:
        """The same without what a program found, its rules and forms: enough to find candidate pairs and to learn."""
        return self.model_copy(update={"used": (True,) * len(self.columns), "rules": (), "forms": ()})

    @property
    def blocker(self) -> BlockerName:
        """The built-in blocker; with a blocker of the user's own it only weighs and indexes."""
        return "cosine" if self.scorer else "lexical"

    def negative_rules(self) -> NegativeRules:
        """The negative rules, as the join uses them."""
        return NegativeRules(self.rules)

    def candidates_of(self, reference: KeyTable) -> KeyTable:
        """The reference table as it is looked at: with one row a key, or with all rows."""
        return reference.distinct() if self.blocking.equal_rows == "merged" else reference

    def made_for(self) -> dict[str, Any]:
        """The needs as an index's manifest and name tell them, with the versions that decide how text is read."""
        return {
            "columns": list(self.columns),
            "used": list(self.used),
            "blocking": self.blocking.model_dump(),
            "rules": hashlib.sha256("\n".join(self.rules).encode()).hexdigest(),
            "forms": list(SCORER_FORMS if self.scorer else self.forms),
            # An index of a program without placeholders and rules has the name that it always had.
            **({"missing": [list(words) for words in self.missing]} if self.missing else {}),
            **({"equal": list(self.equal)} if self.equal else {}),
            "versions": {
                "fuzzyjoin": version(DISTRIBUTION),
                "pystemmer": version("pystemmer"),
                "unicode": unicodedata.unidata_version,
            },
        }
