"""What version 0.1.0 left behind (see its README), as a warehouse of a test's own."""

import shutil
import sqlite3
from pathlib import Path

import yaml

FILES = Path(__file__).parent / "fixtures" / "0.1.0"
PIPELINES = ("malls", "reviewed")


def warehouse_in(folder):
    """Put the warehouse, the snapshots and the tables into a folder; the warehouse's URL."""
    folder.mkdir(exist_ok=True)
    with sqlite3.connect(folder / "warehouse.db") as connection:
        connection.executescript((FILES / "warehouse.sql").read_text("utf-8"))
    connection.close()
    shutil.copytree(FILES / "snapshots", folder / "storage" / "snapshots")
    return f"sqlite:///{folder}/warehouse.db"


def parameters(pipeline):
    """What the pipeline's runs are scheduled with, but for the tables' places."""
    return yaml.safe_load((FILES / f"{pipeline}.yaml").read_text("utf-8"))
