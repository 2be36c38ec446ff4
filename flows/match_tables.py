"""Learn a program on two tables and write its matches into the warehouse."""

from __future__ import annotations

from prefect import flow

from tasks.apply import join_query_rows
from tasks.caching import cached
from tasks.ingest import ingest_table
from tasks.materialise import materialise_matches
from tasks.outcome import completed
from tasks.pipeline_run import end_without_matches, pipeline_run
from tasks.promote import comparable_program, current_program, propose_program
from tasks.report import learned_in_words, publish_program, publish_result
from tasks.retention import delete_old_files
from tasks.search import search_program
from tasks.settings import Checks, Conduct, PipelineName, Privacy, Search, Tables, Warehouse
from tasks.validate import validate_inputs, validate_matches

__all__ = ["match_tables"]


@flow(name="match_tables", result_serializer="json", flow_run_name="match {pipeline}")
def match_tables(
    pipeline: PipelineName,
    tables: Tables,
    search: Search = Search(),
    checks: Checks = Checks(),
    privacy: Privacy = Privacy(),
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
        conduct: How the run behaves.
        warehouse: Where the matches go.

    Returns:
        The run's id in the warehouse.
    """
    asked = {"tables": tables, "search": search, "checks": checks}
    with pipeline_run(pipeline, warehouse=warehouse, conduct=conduct, privacy=privacy, **asked) as run:
        reference, query = ingest_table(tables, "reference"), ingest_table(tables, "query")
        validate_inputs(run, reference, query, checks)
        if not query.table.rows and (earlier := current_program(run)):
            # An export that failed is likelier than a table whose rows are all deleted: no match is closed.
            end_without_matches(run, program_id=earlier.program_id)
            delete_old_files(run, conduct.keep_days)
            return completed(run, told="the query table has no rows, nothing was changed")
        learned = cached(search_program)(reference, query, search)
        current = comparable_program(run, learned, conduct)
        found = join_query_rows(current, reference, query, conduct.partition_rows) if current else None
        standing = propose_program(run, learned, found)
        publish_program(run, learned, standing=standing)
        program = current_program(run)
        if program is None:
            end_without_matches(run, program_id=learned.program_id)
            delete_old_files(run, conduct.keep_days)
            return completed(run, told=learned_in_words(learned, standing))
        result = join_query_rows(program, reference, query, conduct.partition_rows)
        validate_matches(run, result, reference, query, checks, precision_target=program.precision_target)
        changes = materialise_matches(run, result, reference, query)
        publish_result(run, program, result, reference=reference, query=query, changes=changes)
        delete_old_files(run, conduct.keep_days)
        return completed(run, warnings=len(result.warnings))
