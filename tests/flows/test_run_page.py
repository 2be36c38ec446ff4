"""A run's page and the form that starts one, in a real browser; and whose values may be seen there."""

import json
import re
from codecs import encode

import pandas as pd
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from tasks.warehouse.connection import reading
from tasks.warehouse.schema import runs
from tests.flows.cases import DEPLOYMENTS, tables_in

pytestmark = pytest.mark.slow

MATCH = DEPLOYMENTS["match_tables"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The bundled example in words that stand nowhere else."""
    folder = tmp_path_factory.mktemp("tables")
    parameter = tables_in(folder)
    for side in ("left", "right"):
        frame = pd.read_csv(folder / f"{side}.csv", dtype=str)
        frame.assign(title=frame["title"].map(lambda text: encode(text, "rot13"))).to_csv(
            folder / f"{side}.csv", index=False
        )
    return parameter


@pytest.fixture(scope="module")
def words(tables):
    """How the words of the tables begin: what a program's rules hold of them is stemmed."""
    frame = pd.concat([pd.read_csv(tables[role]["path"], dtype=str) for role in ("reference", "query")])
    found = re.findall(r"[a-z]{7,}", " ".join(frame["title"]).lower())
    return {word[:6] for word in found}


@pytest.fixture(scope="module")
def matched(deployed, tables):
    """A run that masks all values, and one that shows them."""
    started = {
        name: deployed.start_run(MATCH, pipeline=name, tables=tables, privacy={"shown_columns": columns})
        for name, columns in (("masked", []), ("shown", ["title"]))
    }
    for run in started.values():
        deployed.run_in_state(run, "COMPLETED", timeout=180)
    return started


def seen(server, run, words):
    """The words that stand anywhere in what the server tells of a run, pictures aside."""
    told = re.sub(r"data:image/[^)]*", "", server.everything(run)).lower()
    return {word for word in words if word in told}


def test_no_compared_value_of_a_masked_run_is_seen(deployed, matched, words):
    assert not seen(deployed, matched["masked"], words)


def test_values_of_shown_columns_are_seen(deployed, matched, words):
    assert len(seen(deployed, matched["shown"], words)) > 10


@pytest.fixture
def artifact(deployed, matched, browser_page):
    """A function that goes from the masked run's page to one of its artifacts."""

    def show(kind):
        key = f"masked-{kind}"
        browser_page.goto(f"runs/flow-run/{matched['masked']}?tab=Artifacts")
        browser_page.get_by_role("link", name=key).first.click()
        browser_page.goto(f"artifacts/artifact/{deployed.artifacts(matched['masked'])[key]['id']}")
        return browser_page

    return show


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            "program",
            [
                "Estimated precision when it was learned",
                "candidate pairs of 227 query rows",
                "Joins a row to its best candidate",
            ],
        ),
        ("result", ["query rows matched", "Estimated precision: 0.9", "matches opened", "fuzzyjoin_current_matches"]),
        ("precision-curve", ["from stricter (left) to looser (right)", "1 (the program)"]),
        ("boundary", ["distance of threshold", "characters]"]),
        ("validation-of-inputs", ["expectations were met", "ids are unique"]),
        ("validation-of-matches", ["expectations were met", "at most one match"]),
    ],
)
def test_the_run_page_leads_to_an_artifact_that_says(artifact, kind, texts):
    page = artifact(kind)

    for text in texts:
        page.get_by_text(text).first.wait_for()


def test_the_picture_of_the_estimate_is_drawn(artifact):
    picture = artifact("precision-curve").get_by_role("img", name="Estimated precision and matches")

    expect(picture).to_have_js_property("naturalWidth", 720)


def test_twenty_rows_stand_at_the_boundary(artifact):
    rows = artifact("boundary").get_by_role("table").get_by_role("row")

    # The page may draw its table anew while one looks: the count is awaited, not read once.
    expect(rows).to_have_count(1 + 20)


@pytest.fixture
def form(deployed, browser_page):
    browser_page.goto(f"deployments/deployment/{deployed.deployment(MATCH)['id']}/run")
    browser_page.get_by_label("Precision Target").wait_for()
    return browser_page


def test_the_form_shows_descriptions_and_defaults_in_their_order(form):
    expect(form.get_by_text("The clean list, nearly free of duplicates.")).to_be_visible()
    expect(form.get_by_label("Precision Target")).to_have_value("0.9")
    expect(form.get_by_label("Path").first).to_have_value(re.compile(r"left\.csv$"))
    labels = form.locator("label").all_inner_texts()
    of_file = ["Kind", "Path", *(f"{name} (Optional)" for name in ("Delimiter", "Encoding", "Sheet", "Columns"))]
    fields = ["pipeline", "tables", "Reference", *of_file, "Query"]
    assert labels[labels.index("pipeline") :][: len(fields)] == fields


def test_the_form_offers_the_values_of_a_choice(form):
    form.get_by_label("Method").click()

    expect(form.get_by_role("option")).to_have_text(["auto", "autofj"])


@pytest.mark.parametrize(("tab", "field"), [("Table", "Schema Name"), ("Query", "Sql")])
def test_a_source_is_a_file_a_table_or_a_query(form, tab, field):
    form.get_by_role("tab", name=tab).first.click()

    form.get_by_label(field).wait_for()


def test_the_form_says_why_a_value_is_refused(form):
    form.get_by_label("Precision Target").fill("2")
    form.get_by_role("button", name="Submit").click()

    form.get_by_text("2 is greater than or equal to the maximum of 1").first.wait_for()


def test_the_form_starts_a_run_that_completes(deployed, warehouse, form):
    form.get_by_label("pipeline").fill("by-form")
    form.get_by_label("Asked By").fill("Ann")
    form.get_by_role("button", name="Submit").click()
    form.get_by_role("link", name="View run").click()
    form.wait_for_url("**/runs/flow-run/*")

    run = form.url.rpartition("/")[2].partition("?")[0]
    deployed.run_in_state(run, "COMPLETED", timeout=120)
    with reading(warehouse) as connection:
        recorded = connection.execute(sa.select(runs).where(runs.c.run_id == run)).mappings().one()
    assert (recorded["pipeline"], recorded["triggered_by"]) == ("by-form", "Ann")
    assert json.loads(recorded["parameters"])["search"]["precision_target"] == 0.9
