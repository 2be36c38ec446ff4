"""Programs of schema version 1 and what they gave (see the READMEs of the fixtures)."""

from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
FILES = FIXTURES / "schema_1"
TABLES = FIXTURES / "0.1.0" / "left.csv", FIXTURES / "0.1.0" / "right.csv"
METHODS = ("auto", "autofj")
PROGRAMS = tuple(FIXTURES / folder / f"{method}.json" for folder in ("0.1.0", "schema_1") for method in METHODS)
