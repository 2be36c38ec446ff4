"""Blocking: the task that finds the candidate pairs of the query rows to learn on.

Rows that are joined later are blocked by the same index, partition by partition.
"""

from __future__ import annotations

from pathlib import Path

from prefect import get_run_logger, task

from fuzzyjoin.index import open_index
from fuzzyjoin.search import block_to_learn
from fuzzyjoin.threads import choose_work
from tasks.handles import IndexHandle, InputHandle, PairsHandle
from tasks.orchestration.run_progress import shown_progress
from tasks.settings import Method, Search, SpaceChoice
from tasks.steps.compared_rows import compared_rows
from tasks.store.named_files import store_file

__all__ = ["block_query_rows"]


@task(name="block query rows", task_run_name="block query rows")
def block_query_rows(index: IndexHandle, query: InputHandle, method: Method, space: SpaceChoice) -> PairsHandle:
    """Find the candidate pairs of the query rows that a program is learned on, by the reference table's index.

    Of a search (see `tasks.settings.Search`) they depend on the method and the space alone.
    """
    side = open_index(Path(index.path), index.blocks)
    rows = compared_rows(query, index.blocks.missing)
    settings = Search(method=method, space=space).learning_settings()
    with shown_progress("blocking") as progress:
        pairs = block_to_learn(side, rows, settings, choose_work(None, progress))
    found = PairsHandle(
        file=store_file("pairs", ".parquet", pairs.save),
        query_rows=pairs.query_pairs.indptr.size - 1,
        query_pairs=len(pairs.query_pairs),
    )
    get_run_logger().info(
        "%s candidate pairs of %s query rows, at most %s a row",
        f"{found.query_pairs:,}",
        f"{found.query_rows:,}",
        pairs.k,
    )
    return found
