"""The edge of the library: the caller's tables, checked once, as key columns in canonical order."""
