"""Shells around the library for the pipeline; run from a checkout, not part of the wheel."""
