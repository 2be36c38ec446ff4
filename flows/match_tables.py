"""Learn a program on two tables and write its matches into the warehouse."""

from __future__ import annotations

from prefect import flow

from tasks.orchestration.result_cache import cached
from tasks.run.completion import completed, completed_without_matches
from tasks.run.pipeline_run import pipeline_run
from tasks.settings import Checks, Conduct, PipelineName, Privacy, Publish, Search, Tables, Warehouse
from tasks.steps.block_query_rows import block_query_rows
from tasks.steps.current_program import current_program
from tasks.steps.index_reference_table import index_to_learn
from tasks.steps.ingest_table import ingest_table
from tasks.steps.join_query_rows import join_query_rows
from tasks.steps.materialise_matches import materialise_matches
from tasks.steps.propose_program import comparable_program, propose_program
from tasks.steps.publish_program import learned_in_words, publish_program
from tasks.steps.publish_result import publish_result
from tasks.steps.search_program import search_program
from tasks.steps.validate_inputs import validate_inputs
from tasks.steps.validate_matches import validate_matches

__all__ = ["match_tables"]


@flow(name="match_tables", result_serializer="json", flow_run_name="match {pipeline}")
def match_tables(
    pipeline: PipelineName,
    tables: Tables,
    search: Search = Search(),
    checks: Checks = Checks(),
    privacy: Privacy = Privacy(),
    publish: Publish = Publish(),
    conduct: Conduct = Conduct(),
    warehouse: Warehouse = Warehouse(),
) -> str:
    """Learn a program, then join every query row by the pipeline's current program.

    A query table without rows changes nothing, with a warning, once the pipeline has a program.

    Args:
        pipeline: Name of the recurring match job. Its matches, programs and decisions stand under it.
        tables: Which tables are joined, and on what.
        search: How a program is searched.
        checks: What is expected of the inputs and of the matches.
        privacy: Whose values may be seen where.
        publish: What is put into the warehouse beside the matches.
        conduct: How the run behaves.
        warehouse: Where the matches go.

    Returns:
        The run's id in the warehouse.
    """
    asked = {"tables": tables, "search": search, "checks": checks}
    with pipeline_run(pipeline, warehouse=warehouse, conduct=conduct, privacy=privacy, publish=publish, **asked) as run:
        reference, query = ingest_table(tables, "reference", publish), ingest_table(tables, "query", publish)
        validate_inputs(run, reference, query, checks)
        if not query.table.rows and (earlier := current_program(run)):
            # An export that failed is likelier than a table whose rows are all deleted: no match is closed.
            return completed_without_matches(run, earlier, told="the query table has no rows, nothing was changed")
        index = index_to_learn(reference, query, search, query.table.rows)
        pairs = cached(block_query_rows)(index, query, search.method, search.space)
        learned = cached(search_program)(index, pairs, query, search)
        current = comparable_program(run, learned, conduct)
        found = join_query_rows(current, reference, query, conduct.partition_rows, index) if current else None
        standing = propose_program(run, learned, found)
        publish_program(run, learned, pairs, standing=standing)
        program = current_program(run)
        if program is None:
            return completed_without_matches(run, learned, told=learned_in_words(learned, standing))
        result = join_query_rows(program, reference, query, conduct.partition_rows, index)
        validate_matches(run, result, reference, query, checks, precision_target=program.precision_target)
        changes = materialise_matches(run, result, reference, query)
        publish_result(run, program, result, reference=reference, query=query, changes=changes)
        return completed(run, warnings=len(result.warnings))
