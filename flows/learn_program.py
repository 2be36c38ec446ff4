"""Learn a program on two tables and propose it; no match is written."""

from __future__ import annotations

from prefect import flow

from tasks.apply import join_query_rows
from tasks.caching import cached
from tasks.ingest import ingest_table
from tasks.outcome import completed
from tasks.pipeline_run import end_without_matches, pipeline_run
from tasks.promote import comparable_program, propose_program
from tasks.report import learned_in_words, publish_program
from tasks.retention import delete_old_files
from tasks.search import search_program
from tasks.settings import Checks, Conduct, PipelineName, Privacy, Search, Tables, Warehouse
from tasks.validate import validate_inputs

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
    with pipeline_run(pipeline, warehouse=warehouse, conduct=conduct, privacy=privacy, **asked) as run:
        reference, query = ingest_table(tables, "reference"), ingest_table(tables, "query")
        validate_inputs(run, reference, query, checks)
        learned = cached(search_program)(reference, query, search)
        current = comparable_program(run, learned, conduct)
        found = join_query_rows(current, reference, query, conduct.partition_rows) if current else None
        standing = propose_program(run, learned, found)
        publish_program(run, learned, standing=standing)
        end_without_matches(run, program_id=learned.program_id)
        delete_old_files(run, conduct.keep_days)
        return completed(run, told=learned_in_words(learned, standing))
