"""Compiled kernels on the disk: told of when they are compiled, and compiled by one process of several."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

KERNELS = """
import json
import numpy as np
from fuzzyjoin.kernels.jit import kernel, watch_compilation

@kernel
def total(values):
    result = 0.0
    for value in np.sort(values):
        result += np.sqrt(value)
    return result

@kernel
def broken(values):
    return values.no_such_attribute

told = []
with watch_compilation(lambda name, share: told.append((name, share))):
    assert total(np.arange(4.0)) == total(np.arange(4.0))
    if {other_types}:
        assert total(np.arange(4)) == total(np.arange(4.0))
    if {broken}:
        for _ in range(2):
            try:
                broken(np.arange(4.0))
            except Exception as error:
                assert "no_such_attribute" in str(error)
print(json.dumps(told))
"""


@pytest.fixture
def start(tmp_path):
    """Starts a process that calls two kernels of a module in a fresh folder."""

    def start(*, other_types=False, broken=False):
        module = tmp_path / "some_kernels.py"
        if not module.exists():
            module.write_text(KERNELS.replace("{other_types}", "OTHER").replace("{broken}", "BROKEN"))
        code = f"import builtins; builtins.OTHER, builtins.BROKEN = {other_types}, {broken}; import some_kernels"
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
        return subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        )

    return start


def told(process):
    """What a process was told of, once it is done."""
    words, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [tuple(kernel) for kernel in json.loads(words)]


def test_a_kernel_is_told_of_when_it_is_compiled_and_never_again(start):
    assert [name for name, _ in told(start())] == ["total"]
    assert told(start()) == []


def test_the_share_is_of_the_kernels_on_the_disk_by_then(start):
    first = told(start(broken=True))
    assert first == [("total", 0.0), ("broken", 0.5), ("broken", 0.5)]


@pytest.mark.slow
def test_other_types_are_compiled_for_themselves(start):
    assert [name for name, _ in told(start(other_types=True))] == ["total", "total"]
    assert told(start(other_types=True)) == []


@pytest.mark.slow
def test_of_processes_that_start_together_one_compiles(start):
    processes = [start(other_types=True) for _ in range(4)]
    assert sorted(name for process in processes for name, _ in told(process)) == ["total", "total"]
