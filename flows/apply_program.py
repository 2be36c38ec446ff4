"""Join new and changed query rows by the pipeline's current program."""

from __future__ import annotations

from prefect import flow

from tasks.run.completion import completed, completed_without_matches
from tasks.run.pipeline_run import pipeline_run
from tasks.settings import Checks, Conduct, PipelineName, Privacy, Publish, Tables, Warehouse
from tasks.steps.current_program import require_current_program
from tasks.steps.detect_changes import detect_changes
from tasks.steps.ingest_table import ingest_table
from tasks.steps.join_query_rows import join_query_rows
from tasks.steps.materialise_matches import close_matches, materialise_matches
from tasks.steps.publish_result import publish_result
from tasks.steps.validate_inputs import validate_inputs
from tasks.steps.validate_matches import validate_matches

__all__ = ["apply_program"]


@flow(name="apply_program", result_serializer="json", flow_run_name="apply {pipeline}")
def apply_program(
    pipeline: PipelineName,
    tables: Tables,
    checks: Checks = Checks(),
    privacy: Privacy = Privacy(),
    publish: Publish = Publish(),
    conduct: Conduct = Conduct(),
    warehouse: Warehouse = Warehouse(),
) -> str:
    """Join the query rows that are new or changed by the current program; rows that are not given keep their matches.

    The query table may be a part, such as today's rows. All rows given are matched again if the program or the
    reference table is another than in the last run.

    Args:
        pipeline: Name of the recurring match job, which has a current program.
        tables: Which tables are joined. The columns are those that the program was learned on.
        checks: What is expected of the inputs and of the matches.
        privacy: Whose values may be seen where.
        publish: What is put into the warehouse beside the matches.
        conduct: How the run behaves.
        warehouse: Where the program is and the matches go.

    Returns:
        The run's id in the warehouse.
    """
    asked = {"tables": tables, "checks": checks}
    with pipeline_run(pipeline, warehouse=warehouse, conduct=conduct, privacy=privacy, publish=publish, **asked) as run:
        program = require_current_program(run)
        reference, query = ingest_table(tables, "reference", publish), ingest_table(tables, "query", publish)
        validate_inputs(run, reference, query, checks, whole=False)
        work = detect_changes(run, program, reference, query)
        if work.query is None and publish.joined:
            close_matches(run, program, reference, query, covers="part")
            return completed(run, told="no query row is new or changed")
        if work.query is None:
            return completed_without_matches(run, program, told="no query row is new or changed")
        result = join_query_rows(program, reference, work.query, conduct.partition_rows)
        target = program.precision_target
        validate_matches(run, result, reference, work.query, checks, precision_target=target, whole=False)
        changes = materialise_matches(run, result, reference, work.query, covers="part")
        publish_result(run, program, result, reference=reference, query=work.query, changes=changes)
        return completed(run, warnings=len(result.warnings))
