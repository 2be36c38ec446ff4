"""Which program a pipeline under review uses before and after a person's approval, flow by flow."""

import pytest
import sqlalchemy as sa
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.apply_program import apply_program
from flows.learn_program import learn_program
from flows.match_tables import match_tables
from tasks.settings import Conduct, Search, Tables
from tasks.warehouse.connection import reading
from tasks.warehouse.schema import runs
from tests.flows.cases import DEPLOYMENTS, tables_in

pytestmark = pytest.mark.slow

REVIEW = DEPLOYMENTS["review_program"]


@pytest.fixture
def here(deployed, monkeypatch):
    """Flows run in this process are runs of the server, and write where the worker's write."""
    for name, value in deployed.environment.items():
        if name.startswith("FUZZYJOIN_"):
            monkeypatch.setenv(name, value)
    with temporary_settings({PREFECT_API_URL: deployed.environment["PREFECT_API_URL"]}):
        yield deployed


def test_until_a_program_is_approved_the_old_one_goes_on_working(here, warehouse, tmp_path):
    asked = {"pipeline": "waits", "tables": Tables.model_validate(tables_in(tmp_path))}

    def program_of(run):
        with reading(warehouse) as connection:
            return connection.execute(sa.select(runs.c.program_id).where(runs.c.run_id == run)).scalar_one()

    first = program_of(match_tables(**asked))
    learned = program_of(
        learn_program(
            **asked, search=Search(precision_target=0.7, min_probability=0.0), conduct=Conduct(promotion="review")
        )
    )
    before = program_of(apply_program(**asked))
    review = here.start_run(REVIEW, pipeline="waits")
    here.run_in_state(review, "PAUSED")
    here.resume(review, {"decision": "approve", "by": "Ann"})
    here.run_in_state(review, "COMPLETED")
    after = program_of(apply_program(**asked))

    assert first != learned
    assert (before, after) == (first, learned)
