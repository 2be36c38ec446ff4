"""Keep the matches of a query table up to date: new and changed rows are matched, deleted ones are closed."""

from __future__ import annotations

from prefect import flow

from tasks.orchestration.result_cache import cached
from tasks.run.completion import completed, completed_without_matches
from tasks.run.pipeline_run import pipeline_run
from tasks.settings import Checks, Conduct, PipelineName, Privacy, Publish, Search, Tables, Warehouse
from tasks.steps.block_query_rows import block_query_rows
from tasks.steps.current_program import current_program, require_current_program
from tasks.steps.detect_changes import detect_changes
from tasks.steps.index_reference_table import index_to_learn
from tasks.steps.ingest_table import ingest_table
from tasks.steps.join_query_rows import join_query_rows
from tasks.steps.materialise_matches import close_matches, materialise_matches
from tasks.steps.propose_program import propose_program
from tasks.steps.publish_program import publish_program
from tasks.steps.publish_result import publish_result
from tasks.steps.search_program import search_program
from tasks.steps.validate_inputs import validate_inputs
from tasks.steps.validate_matches import validate_matches

__all__ = ["sync_warehouse"]


@flow(name="sync_warehouse", result_serializer="json", flow_run_name="sync {pipeline}")
def sync_warehouse(
    pipeline: PipelineName,
    tables: Tables,
    search: Search = Search(),
    checks: Checks = Checks(),
    privacy: Privacy = Privacy(),
    publish: Publish = Publish(),
    conduct: Conduct = Conduct(),
    warehouse: Warehouse = Warehouse(),
) -> str:
    """Bring the matches to what the query table holds now; a pipeline without a program learns its first one.

    Rows whose text is as it was keep their matches untouched. All rows are matched again if the program or the
    reference table changed since a row was last matched. A query table without rows changes nothing, with a warning,
    once the pipeline has a program.

    Args:
        pipeline: Name of the recurring match job. Its matches, programs and decisions stand under it.
        tables: Which tables are joined, and on what. Matches of rows that the query table no longer holds are closed.
        search: How the first program is searched.
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
        if not query.table.rows and (current := current_program(run)):
            # An export that failed is likelier than a table whose rows are all deleted: no match is closed.
            return completed_without_matches(run, current, told="the query table has no rows, nothing was changed")
        if current_program(run) is None:
            index = index_to_learn(reference, query, search, query.table.rows)
            pairs = cached(block_query_rows)(index, query, search.method, search.space)
            learned = cached(search_program)(index, pairs, query, search)
            publish_program(run, learned, pairs, standing=propose_program(run, learned))
        program = require_current_program(run)
        work = detect_changes(run, program, reference, query)
        if work.query is None:
            close_matches(run, program, reference, query, gone=work.gone)
            return completed(run)
        result = join_query_rows(program, reference, work.query, conduct.partition_rows)
        target = program.precision_target
        validate_matches(run, result, reference, work.query, checks, precision_target=target, whole=False)
        changes = materialise_matches(run, result, reference, work.query, covers="changes", gone=work.gone)
        publish_result(run, program, result, reference=reference, query=work.query, changes=changes)
        return completed(run, warnings=len(result.warnings))
