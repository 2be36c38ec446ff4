"""docs/pipeline.md works pasted into a terminal, line by line, with a real server and a real worker."""

import re
import socket

import pytest

from tests.pages import ROOT, blocks_of, commands_of, copy_checkout, newcomer_environment, shell
from tests.prefect_server import QUIET, kill_all_of

PAGE = ROOT / "docs" / "pipeline.md"


@pytest.mark.slow
def test_the_page_works_pasted_line_by_line(tmp_path):
    checkout, home = tmp_path / "fuzzyjoin", tmp_path / "prefect"
    copy_checkout(checkout)
    home.mkdir()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    # Prefect's own settings of the port, and imports of the copy instead of the checkout that is installed.
    of_test = {"PREFECT_SERVER_API_PORT": port, "PYTHONPATH": str(checkout), "FUZZYJOIN_SERVER_WAIT_SECONDS": "400"}
    environment = newcomer_environment(home) | QUIET | of_test
    printed = {}
    try:
        with shell(checkout, environment, tmp_path / "printed") as terminal:
            for _, text in [block for block in blocks_of(PAGE) if block[0] == "sh"]:
                for command in commands_of(text):
                    printed[command] = terminal.run(command.replace(":4200", f":{port}"))
    finally:
        # `make run` keeps Prefect's files in the checkout.
        for used in (home, checkout / "build" / "prefect"):
            kill_all_of(used)

    runs = printed["python -m tasks.warehouse runs malls"]
    assert "2 runs" in runs
    matched = re.search(r"\d+ of 227 matched", printed["make run"])[0]
    assert matched in runs
    assert "was joined to reference 3" in printed["python -m tasks.warehouse why malls 3"]
    assert "was joined to nothing" in printed["python -m tasks.warehouse why malls 4"]
