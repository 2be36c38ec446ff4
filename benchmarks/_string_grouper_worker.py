"""Runs by an interpreter that has `string_grouper`: the best reference text of every query text, as JSON.

It reads two lists of texts from standard input, and answers with pairs of positions (query, reference). A text pairs
with none if no reference text is as similar as string_grouper demands by default.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pandas as pd
from string_grouper import match_strings  # type: ignore[import-not-found]


def main() -> None:
    """Answer the request on standard input."""
    request: dict[str, Any] = json.load(sys.stdin)
    found = match_strings(pd.Series(request["reference"], dtype=str), pd.Series(request["query"], dtype=str))
    best = found.sort_values("similarity", ascending=False, kind="stable").drop_duplicates("right_index")
    pairs = best[["right_index", "left_index"]].sort_values("right_index")
    json.dump(pairs.to_numpy().tolist(), sys.stdout)


if __name__ == "__main__":
    main()
