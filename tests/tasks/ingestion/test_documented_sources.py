"""The inputs that the documentation shows are settings of a pipeline, and can be read."""

import re
import sqlite3
from pathlib import Path

import yaml

from tasks.ingestion import FileSource, read_input
from tasks.settings import Tables

PAGE = Path(__file__).parents[3] / "docs" / "inputs.md"


def test_the_table_and_the_query_of_the_page_are_read(tmp_path, monkeypatch):
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    tables = Tables.model_validate(yaml.safe_load(block))
    database = tmp_path / "erp.db"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            """
            CREATE TABLE products (product_id INTEGER, name TEXT, maker TEXT, price REAL);
            INSERT INTO products VALUES (1, 'Lamp', 'Lux', 9.5), (2, 'Chair', NULL, 20);
            CREATE TABLE order_lines (order_id INTEGER, article TEXT, supplier TEXT, year INTEGER);
            INSERT INTO order_lines VALUES (7, 'Lampe', 'Lux', 2024), (8, 'Chair', '', 2023);
            """
        )
    connection.close()
    monkeypatch.setenv("FUZZYJOIN_SOURCE_URL", f"sqlite:///{database}")
    reference, query = read_input(tables.reference), read_input(tables.query)
    assert reference.fillna("").to_numpy().tolist() == [["1", "Lamp", "Lux"], ["2", "Chair", ""]]
    assert query.to_numpy().tolist() == [["7", "Lampe", "Lux"]]
    assert {left for left, _ in tables.pairs} <= set(reference)
    assert {right for _, right in tables.pairs} <= set(query)
    assert (tables.reference_id in reference, tables.query_id in query) == (True, True)


def test_a_file_is_read_as_its_settings_say(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes("id;name\n1;Łódź\n".encode("cp1250"))
    source = FileSource(path=str(path), delimiter=";", encoding="windows-1250")
    assert read_input(source).to_dict("list") == {"id": ["1"], "name": ["Łódź"]}
