"""Work shared among threads comes back whole and in order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.errors import UsageError
from fuzzyjoin.threads import Work, choose_work, map_chunks, while_running


@given(st.integers(0, 20_000), st.integers(1, 5))
def test_chunks_in_order_are_all_rows(rows, threads):
    parts = map_chunks(list, np.arange(rows), Work(threads))
    assert [row for part in parts for row in part] == list(range(rows))


def test_no_rows_are_one_empty_chunk():
    assert map_chunks(len, np.arange(0), Work(2)) == [0]


def test_several_threads_work():
    meeting = threading.Barrier(2, timeout=20)
    assert map_chunks(lambda chunk: (meeting.wait(), chunk.size)[1], np.arange(256), Work(2)) == [128, 128]


def test_progress_tells_the_share_of_the_chunks_that_are_done():
    told = []
    parts = map_chunks(len, np.arange(5000), Work(2, lambda *words: told.append(words)).named("counting"))
    assert len(parts) > 1
    assert told == [("counting", (done + 1) / len(parts)) for done in range(len(parts))]


def test_an_error_in_a_thread_is_raised():
    def fail(chunk):
        raise ArithmeticError(chunk.size)

    with pytest.raises(ArithmeticError):
        map_chunks(fail, np.arange(500), Work(2))


@pytest.mark.parametrize("threads", [1, 2])
def test_both_halves_run_and_the_background_is_returned(threads):
    done = []
    found = while_running(threading.get_ident, lambda: done.append(threading.get_ident()), Work(threads))
    assert (found == done[0]) == (threads == 1)


def test_an_error_in_either_half_is_raised():
    def fail():
        raise ArithmeticError

    for halves in ((fail, int), (int, fail)):
        with pytest.raises(ArithmeticError):
            while_running(*halves, Work(2))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not bind processes to processors")
def test_threads_default_to_the_processors_that_the_process_may_use():
    script = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    script += "from fuzzyjoin.threads import choose_work; print(choose_work(None, None).threads)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert choose_work(None, None).threads == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_refused(threads):
    with pytest.raises(UsageError, match=f"threads is {threads}; expected 1 or more"):
        choose_work(threads, None)
