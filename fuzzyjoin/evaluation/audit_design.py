"""The design of a labelled audit: which pairs were drawn from what, in a file apart from what the person sees."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from fuzzyjoin.definition import Part, PrecisionEstimate
from fuzzyjoin.errors import DataError
from fuzzyjoin.evaluation.intervals import BANDS
from fuzzyjoin.files import write_text_file

__all__ = ["DESIGN_VERSION", "LEVEL", "AuditDesign", "DrawnTable", "Population", "SampledPair"]

DESIGN_VERSION = 1

LEVEL = 0.9
"""Coverage of the intervals: that of the estimates, so that the two can be compared."""


MOST_ROWS = 1 << 53
"""Rows up to which the report's arithmetic is exact: no table has more."""


class DrawnTable(Part):
    """A table that the pairs are of; the fingerprint is of ids and compared columns, and ignores the order of rows."""

    fingerprint: str
    rows: int = Field(ge=0, le=MOST_ROWS)


class Population(Part):
    """Rows of a population by band of distance, nearest first, and how many were drawn from each."""

    rows: tuple[int, ...] = Field(min_length=BANDS, max_length=BANDS)
    drawn: tuple[int, ...] = Field(min_length=BANDS, max_length=BANDS)

    @model_validator(mode="after")
    def _no_more_are_drawn_than_there_are(self) -> Population:
        if any(not 0 <= drawn <= rows <= MOST_ROWS for drawn, rows in zip(self.drawn, self.rows, strict=True)):
            raise ValueError(f"drawn is {self.drawn} of rows {self.rows}; no band can give more than it has")
        return self


class SampledPair(Part):
    """A pair to label: its number in the sheet, what it is, and a hash of the values that the person sees."""

    number: int = Field(ge=1)
    population: Literal["match", "near-miss"]
    band: int = Field(ge=0, lt=BANDS)
    query_id: str
    reference_id: str
    shown: str


class AuditDesign(Part):
    """How the pairs of a labelled audit were drawn.

    Attributes
    ----------
    program_id
        The program whose matches are audited.
    reference, query
        The tables that it joined.
    seed
        What, with the ids, decides which rows are drawn and in which order they are shown.
    precision_estimate
        The program's own estimate for these matches: the figure that joining them states.
    matches
        The joined query rows.
    near_misses
        The query rows that were not joined and have a best candidate; None if nobody looked at them.
    without_candidate
        Query rows that have no candidate at all; None as above.
    pairs
        The sample, by number from 1.
    run_id
        The run of a pipeline that was audited; None where there is none.
    """

    program_id: str
    reference: DrawnTable
    query: DrawnTable
    seed: int
    precision_estimate: PrecisionEstimate
    matches: Population
    near_misses: Population | None
    without_candidate: int | None = Field(ge=0, le=MOST_ROWS)
    pairs: tuple[SampledPair, ...]
    run_id: str | None = None

    @model_validator(mode="after")
    def _the_pairs_are_those_drawn(self) -> AuditDesign:
        if [pair.number for pair in self.pairs] != list(range(1, len(self.pairs) + 1)):
            raise ValueError("the numbers of pairs are not 1, 2, … in order")
        for name, population in (("match", self.matches), ("near-miss", self.near_misses)):
            bands = [pair.band for pair in self.pairs if pair.population == name]
            drawn = population.drawn if population else (0,) * BANDS
            if tuple(bands.count(band) for band in range(BANDS)) != drawn:
                raise ValueError(f"pairs holds other numbers of {name} pairs than were drawn: {drawn}")
        return self

    @property
    def design_id(self) -> str:
        """SHA-256 of the design in canonical JSON."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def to_json(self) -> str:
        """The design file's text: the same design gives the same bytes."""
        content = {"design_version": DESIGN_VERSION, "design_id": self.design_id, "design": self._content()}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = "design") -> AuditDesign:
        """Read a design file's text.

        Raises
        ------
        DataError
            If it is no JSON, of another version, not a valid design, or its `design_id` is not its hash.
        """
        remedy = "give the design file that was written with the sheet"
        try:
            content = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            what = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else "nested too deep"
            raise DataError(f"{source} is not JSON ({what}); {remedy}") from None
        if not isinstance(content, dict) or "design_version" not in content:
            raise DataError(f"{source} is JSON but no design of an audit: it has no design_version; {remedy}")
        if content["design_version"] != DESIGN_VERSION:
            raise DataError(
                f"{source} has design_version {content['design_version']!r}, this version reads {DESIGN_VERSION}; "
                "draw it again or use the version that wrote it"
            )
        try:
            design = cls.model_validate(content.get("design"))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{source} is not a valid design: {place}: {first['msg']}; {remedy}") from None
        if content.get("design_id") != design.design_id:
            raise DataError(
                f"{source} says design_id {content.get('design_id')!r} but its content is {design.design_id}; it was "
                "changed after it was drawn: restore the original or draw it again"
            )
        return design

    def save(self, path: str | Path) -> None:
        """Write the design file (UTF-8), at once and whole.

        Raises
        ------
        DataError
            If it cannot be written; then a file that is there stays as it is.
        """
        write_text_file(Path(path), self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> AuditDesign:
        """Read a design file.

        Raises
        ------
        DataError
            If it cannot be read as a design (see `from_json`).
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{path} cannot be read: {error}; give the design file that was written with the sheet"
            ) from None
        return cls.from_json(text, source=str(path))

    def _content(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
