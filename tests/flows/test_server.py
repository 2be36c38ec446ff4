"""Deployments on a real server, run by a real worker and seen in a real browser."""

import pytest

from tests.prefect_server import wait_for

pytestmark = pytest.mark.slow

FILE = {"kind": "file", "path": "towns.csv"}


@pytest.fixture(scope="module")
def deployed(worker):
    worker.prefect("deploy", "--all", "--prefect-file", "tests/flows/toy.yaml")
    return worker


@pytest.fixture
def paused(deployed):
    run = deployed.start_run("toy-review/by-hand")
    deployed.run_in_state(run, "PAUSED")
    return run


def decision(server, run):
    return server.artifacts(run)["decision"]["data"]


def test_a_cron_schedule_creates_scheduled_runs(deployed):
    runs = wait_for(
        "scheduled runs", lambda: deployed.runs("toy-match/nightly", type={"any_": ["SCHEDULED"]}), timeout=30
    )

    assert all(run["auto_scheduled"] for run in runs)
    assert runs[0]["parameters"] == {"reference": FILE, "settings": {"on": ["title"]}}


def test_a_run_with_form_parameters_completes(deployed):
    run = deployed.start_run("toy-match/by-hand", reference=FILE, settings={"on": ["title"]})

    deployed.run_in_state(run, "COMPLETED")

    assert "towns.csv ('title',)" in deployed.artifacts(run)["program"]["data"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"on": "title"}, "'settings.on'. Failure reason: 'title' is not of type 'array'"),
        ({"on": []}, "'settings.on'. Failure reason: [] should be non-empty"),
        ({"on": ["title"], "space": "huge"}, "'settings.space'. Failure reason: 'huge' is not one of"),
        ({"on": ["title"], "precision_target": 1}, "1 is greater than or equal to the maximum of 1"),
        ({"on": ["title"], "spaces": "small"}, "Additional properties are not allowed ('spaces' was unexpected)"),
        ({}, "'on' is a required property"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_reason(deployed, settings, reason):
    response = deployed.create_run("toy-match/by-hand", {"reference": FILE, "settings": settings})

    assert response.status_code == 409
    assert reason in response.json()["detail"]


def test_the_form_shows_descriptions_and_defaults_and_starts_a_run(deployed, browser_page):
    deployment = deployed.deployment("toy-match/nightly")["id"]
    browser_page.goto(f"deployments/deployment/{deployment}/run")
    target = browser_page.get_by_label("Precision Target")
    target.wait_for()

    assert browser_page.get_by_text("Share of matches that should be right.").is_visible()
    assert browser_page.get_by_label("Path").input_value() == "towns.csv"
    assert target.input_value() == "0.9"

    target.fill("0.8")
    browser_page.get_by_role("button", name="Submit").click()
    browser_page.get_by_role("link", name="View run").click()
    browser_page.wait_for_url("**/runs/flow-run/*")

    run = browser_page.url.rpartition("/")[2].partition("?")[0]
    assert deployed.run_in_state(run, "COMPLETED")["parameters"]["settings"]["precision_target"] == 0.8


def test_the_form_says_why_a_parameter_is_refused(deployed, browser_page):
    deployment = deployed.deployment("toy-match/nightly")["id"]
    browser_page.goto(f"deployments/deployment/{deployment}/run")
    browser_page.get_by_label("Precision Target").fill("2")
    browser_page.get_by_role("button", name="Submit").click()

    browser_page.get_by_text("2 is greater than or equal to the maximum of 1").wait_for()


def test_the_run_page_leads_to_an_artifact_with_a_picture(deployed, browser_page):
    run = deployed.start_run("toy-match/by-hand", reference=FILE, settings={"on": ["title"]})
    deployed.run_in_state(run, "COMPLETED")

    browser_page.goto(f"runs/flow-run/{run}?tab=Artifacts")
    browser_page.get_by_text("The program in words.").wait_for()
    browser_page.goto(f"artifacts/artifact/{deployed.artifacts(run)['program']['id']}")
    browser_page.get_by_role("heading", name="Program").wait_for()

    assert browser_page.get_by_role("img", name="Estimate").evaluate("image => image.naturalWidth") == 600


@pytest.mark.parametrize("choice", ["approve", "refuse"])
def test_a_paused_run_is_decided_by_the_api(deployed, paused, choice):
    assert deployed.resume(paused, {"decision": choice, "by": "Ann"})["status"] == "ACCEPT"

    deployed.run_in_state(paused, "COMPLETED")
    assert decision(deployed, paused) == f"{choice} by Ann"


def test_an_incomplete_decision_is_refused_and_the_run_stays_paused(deployed, paused):
    verdict = deployed.resume(paused, {"decision": "approve"})

    assert verdict["status"] == "REJECT"
    assert "'by' is a required property" in verdict["details"]["reason"]
    deployed.run_in_state(paused, "PAUSED")


@pytest.mark.parametrize("choice", ["approve", "refuse"])
def test_a_paused_run_is_decided_in_the_browser(deployed, paused, browser_page, choice):
    browser_page.goto(f"runs/flow-run/{paused}")
    browser_page.get_by_role("button", name="Open menu").click()
    browser_page.get_by_role("menuitem", name="Resume").click()
    dialog = browser_page.get_by_role("dialog")
    dialog.get_by_role("heading", name="Program abc").wait_for()
    dialog.get_by_label("Decision").click()
    browser_page.get_by_role("option", name=choice).click()
    dialog.get_by_label("By").fill("Ann")
    dialog.get_by_role("button", name="Resume").click()

    deployed.run_in_state(paused, "COMPLETED")
    assert decision(deployed, paused) == f"{choice} by Ann"


def test_a_run_that_nobody_decides_fails(deployed):
    run = deployed.start_run("toy-review/by-hand", seconds=5)

    ended = deployed.run_in_state(run, "FAILED")

    assert ended["state"]["message"] == "The flow was failed and never resumed."
    assert decision(deployed, run) == "expired"
