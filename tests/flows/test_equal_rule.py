"""A pipeline whose rows must be equal in a column: matched, and a row whose value changed is looked at again."""

from tasks.warehouse import schema


def test_only_rows_of_equal_value_are_matched_and_a_changed_value_is_a_changed_row(pipeline):
    for side in ("reference", "query"):
        table = getattr(pipeline, side)
        setattr(pipeline, side, table.assign(state=table["title"].str[0].str.upper()))
    rule = {"equal": ["state"]}

    pipeline.run(tables=rule)

    before = pipeline.matches()
    assert len(before) > 100
    held, asked = (table.set_index("id")["state"] for table in (pipeline.reference, pipeline.query))
    assert all(asked[query] == held[match["reference_id"]] for query, match in before.items())

    moved, other = list(before)[:2]
    pipeline.query.loc[pipeline.query["id"] == moved, "state"] = "nowhere"
    pipeline.query.loc[pipeline.query["id"] == other, "state"] = held[before[other]["reference_id"]].lower() + " "
    run = pipeline.run("apply_program", tables=rule)

    after = pipeline.matches()
    assert after == {query: match for query, match in before.items() if query != moved}
    (told,) = pipeline.rows(schema.unmatched, schema.unmatched.c.query_id == moved)
    assert told["reason"] == "not considered: no reference row has the same state"
    # The second row is the same as before, but was looked at too.
    assert pipeline.run_row(run)["matches_closed"] == 1
