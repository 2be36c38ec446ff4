"""Learn a program on two tables and propose it; no match is written."""

from __future__ import annotations

from prefect import flow

from tasks.orchestration.result_cache import cached
from tasks.run.completion import completed_without_matches
from tasks.run.pipeline_run import pipeline_run
from tasks.settings import Checks, Conduct, PipelineName, Privacy, Publish, Search, Tables, Warehouse
from tasks.steps.block_query_rows import block_query_rows
from tasks.steps.index_reference_table import index_to_learn
from tasks.steps.ingest_table import ingest_table
from tasks.steps.join_query_rows import join_query_rows
from tasks.steps.propose_program import comparable_program, propose_program
from tasks.steps.publish_program import learned_in_words, publish_program
from tasks.steps.search_program import search_program
from tasks.steps.validate_inputs import validate_inputs

__all__ = ["learn_program"]


@flow(name="learn_program", result_serializer="json", flow_run_name="learn {pipeline}")
def learn_program(
    pipeline: PipelineName,
    tables: Tables,
    search: Search = Search(),
    checks: Checks = Checks(),
    privacy: Privacy = Privacy(),
    conduct: Conduct = Conduct(),
    warehouse: Warehouse = Warehouse(),
) -> str:
    """Learn a program and propose it: it is used from the next run on, under review after a person's approval.

    Args:
        pipeline: Name of the recurring match job. Its matches, programs and decisions stand under it.
        tables: Which tables are looked at, and on what they are to be joined.
        search: How a program is searched.
        checks: What is expected of the inputs.
        privacy: Whose values may be seen where.
        conduct: How the run behaves.
        warehouse: Where the program goes.

    Returns:
        The run's id in the warehouse.
    """
    asked = {"tables": tables, "search": search, "checks": checks}
    with pipeline_run(
        pipeline, warehouse=warehouse, conduct=conduct, privacy=privacy, publish=Publish(), **asked
    ) as run:
        reference, query = ingest_table(tables, "reference"), ingest_table(tables, "query")
        validate_inputs(run, reference, query, checks)
        index = index_to_learn(reference, query, search, search.rows_learned_on(query.table.rows))
        pairs = cached(block_query_rows)(index, query, search.method, search.space)
        learned = cached(search_program)(index, pairs, query, search)
        current = comparable_program(run, learned, conduct)
        found = join_query_rows(current, reference, query, conduct.partition_rows) if current else None
        standing = propose_program(run, learned, found)
        publish_program(run, learned, pairs, standing=standing)
        return completed_without_matches(run, learned, told=learned_in_words(learned, standing))
