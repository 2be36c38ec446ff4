"""A person approves or refuses a proposed program, by the API and in the browser; or nobody does."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import history, open_proposals
from tasks.warehouse.pipelines import current_program_id, register_pipeline
from tests.flows.cases import DEPLOYMENTS, propose_in, tables_in, two_programs

pytestmark = pytest.mark.slow

REVIEW = DEPLOYMENTS["review_program"]
CASES = (
    *(f"{choice}-by-{way}" for choice in ("approve", "refuse") for way in ("api", "browser")),
    "blank-name",
    "two-people",
    "nobody",
)


@pytest.fixture(scope="module")
def programs():
    return two_programs()


@pytest.fixture(scope="module")
def reviews(deployed, warehouse, programs):
    """Ids of the runs that ask about a pipeline each; two ask about one of them."""
    for case in CASES:
        propose_in(warehouse, case, *programs)
    started = {
        case: deployed.start_run(REVIEW, pipeline=case, review={"wait_seconds": 5 if case == "nobody" else 600})
        for case in CASES
    }
    with writing(warehouse) as connection:
        register_pipeline(connection, "nothing", promotion="review", at=datetime.now(UTC))
    more = {"second person": "two-people", "nothing": "nothing"}
    return started | {name: deployed.start_run(REVIEW, pipeline=pipeline) for name, pipeline in more.items()}


@pytest.fixture
def decided(warehouse, programs):
    """A function that gives a pipeline's last decision, and which of the two programs is current."""
    ids = [program.program_id for program in programs]

    def call(pipeline):
        with reading(warehouse) as connection:
            made = history(connection, pipeline)[-1]
            return made.kind, made.decided_by, made.reason, ids.index(current_program_id(connection, pipeline))

    return call


def question_of(page, run):
    """The dialog in which a person answers."""
    page.goto(f"runs/flow-run/{run}")
    page.get_by_role("button", name="Open menu").click()
    page.get_by_role("menuitem", name="Resume").click()
    return page.get_by_role("dialog")


@pytest.fixture
def waiting(deployed, reviews):
    """A function that gives the run which asks about a pipeline, once it waits."""

    def call(pipeline):
        deployed.run_in_state(reviews[pipeline], "PAUSED", timeout=180)
        return reviews[pipeline]

    return call


KINDS = {"approve": ("approval", 1), "refuse": ("refusal", 0)}


@pytest.mark.parametrize("choice", KINDS)
def test_an_answer_by_the_api_is_recorded_with_name_and_reason(deployed, decided, waiting, choice):
    kind, place = KINDS[choice]
    run = waiting(f"{choice}-by-api")
    assert decided(f"{choice}-by-api") == ("proposal", "run setup", None, 0)

    verdict = deployed.resume(run, {"decision": choice, "by": "Ann", "reason": "seen by two"})

    assert verdict["status"] == "ACCEPT"
    deployed.run_in_state(run, "COMPLETED")
    assert decided(f"{choice}-by-api") == (kind, "Ann", "seen by two", place)


@pytest.mark.parametrize("choice", KINDS)
def test_an_answer_in_the_browser_is_recorded_alike(deployed, decided, waiting, browser_page, choice):
    kind, place = KINDS[choice]
    run = waiting(f"{choice}-by-browser")
    dialog = question_of(browser_page, run)
    dialog.get_by_label("Decision").click()
    browser_page.get_by_role("option", name=choice).click()
    dialog.get_by_label("By").fill("Ann")
    dialog.get_by_label("Reason").fill("seen by two")
    dialog.get_by_role("button", name="Resume").click()

    deployed.run_in_state(run, "COMPLETED")
    assert decided(f"{choice}-by-browser") == (kind, "Ann", "seen by two", place)


def test_the_question_shows_what_would_change_above_the_answer(waiting, browser_page):
    dialog = question_of(browser_page, waiting("blank-name"))

    expect(dialog.get_by_text("Which rows would change is not known")).to_be_visible()
    expect(dialog.get_by_text("Its estimated precision is 0.7")).to_be_visible()
    expect(dialog.get_by_text("more differences are left out here")).to_be_visible()
    expect(dialog.get_by_label("Decision")).to_be_visible()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"decision": "approve"}, "'by' is a required property"),
        ({"decision": "approve", "by": "  "}, "'  ' does not match"),
        ({"decision": "perhaps", "by": "Ann"}, "'perhaps' is not one of ['approve', 'refuse']"),
    ],
)
def test_an_answer_without_a_name_or_a_choice_is_refused_and_the_question_stays(deployed, waiting, answer, reason):
    run = waiting("blank-name")

    verdict = deployed.resume(run, answer)

    assert verdict["status"] == "REJECT"
    assert reason in verdict["details"]["reason"]
    deployed.run_in_state(run, "PAUSED")


def test_the_second_of_two_answers_is_one_clear_error(deployed, decided, waiting):
    first, second = waiting("two-people"), waiting("second person")
    deployed.resume(first, {"decision": "approve", "by": "Ann"})
    deployed.run_in_state(first, "COMPLETED")
    deployed.resume(second, {"decision": "refuse", "by": "Bob"})

    ended = deployed.run_in_state(second, "FAILED")
    assert "Ann answered first (approval, " in ended["state"]["message"]
    assert "the answer of Bob" in ended["state"]["message"]
    assert "Traceback" not in "\n".join(deployed.all_logs(second))
    assert decided("two-people") == ("approval", "Ann", None, 1)


def test_a_proposal_that_nobody_answers_stays_open(deployed, warehouse, programs, reviews):
    deployed.run_in_state(reviews["nobody"], "FAILED", timeout=180)

    # The server may put a message of its own into the state of a run that was paused for too long.
    message = "within 5 s; it stays proposed and the current program stays in use: run review_program again"
    assert message in "\n".join(deployed.all_logs(reviews["nobody"]))
    with reading(warehouse) as connection:
        assert [one.program_id for one in open_proposals(connection, "nobody")] == [programs[1].program_id]
        assert current_program_id(connection, "nobody") == programs[0].program_id


def test_where_nothing_waits_for_an_answer_the_page_says_so(deployed, reviews):
    run = reviews["nothing"]

    deployed.run_in_state(run, "COMPLETED", timeout=180)
    assert "No program of pipeline nothing waits for an answer." in deployed.artifacts(run)["nothing-proposal"]["data"]


def test_a_proposal_says_how_many_rows_would_change_and_names_some(deployed, tmp_path):
    asked = {"pipeline": "changing", "tables": tables_in(tmp_path)}
    search = {"method": "autofj", "precision_target": 0.9}
    first = deployed.start_run(DEPLOYMENTS["match_tables"], **asked, search=search)
    deployed.run_in_state(first, "COMPLETED", timeout=600)
    learn = {"search": search | {"precision_target": 0.6}, "conduct": {"promotion": "review"}}
    second = deployed.start_run(DEPLOYMENTS["learn_program"], **asked, **learn)
    deployed.run_in_state(second, "COMPLETED", timeout=600)

    run = deployed.start_run(REVIEW, pipeline="changing", review={"shown_columns": ["title"]})
    deployed.run_in_state(run, "PAUSED", timeout=600)
    told = deployed.artifacts(run)["changing-proposal"]["data"]
    counts = re.search(
        r"\*\*(\d+) rows gained, (\d+) lost, (\d+) redirected: (\d+) of 227 query rows would be joined", told
    )
    gained, lost, _, joined = map(int, counts.groups())
    instead = int(re.search(r"instead of (\d+)\.", told)[1])
    assert gained > 0
    assert gained - lost == joined - instead
    row = next(line for line in told.splitlines() if line.startswith("| gained |"))
    assert re.fullmatch(r"\| gained \| \S+ \\\(.+\\\) \| no match \| \S+ \\\(.+\\\) \|", row)
    assert deployed.resume(run, {"decision": "refuse", "by": "Ann"})["status"] == "ACCEPT"
