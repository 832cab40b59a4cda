# SPDX-License-Identifier: Apache-2.0
"""The benchmark itself: one quick case each of what it can measure, ours only."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

RUN = pathlib.Path(__file__).with_name("run.py")
OURS = RUN.parents[2] / ".venv" / "bin"


def bench(*arguments):
    return subprocess.run(
        [sys.executable, RUN, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_list_names_every_case_with_a_summary():
    lines = bench("--list").stdout.splitlines()
    names = [line.split()[0] for line in lines]
    assert "forward-64B" in names
    assert "restart" in names
    assert all(len(line.split()) > 3 for line in lines)


def test_unknown_case_is_refused():
    done = bench("--list", "--only", "nothing-*")
    assert done.returncode == 2
    assert "no case is called nothing-*" in done.stderr


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("case", ["command-latency", "forward-64B"])
def test_tiny_run_prints_a_table_and_leaves_nothing(case, tmp_path):
    values = tmp_path / "values.json"
    sets = ("--set", f"a={OURS}", "--set", f"b={OURS}")
    done = bench(*sets, "--only", case, "--runs", 1,
                 "--seconds", 0.3, "--scale", 0.1, "--timeout", 60,
                 "--json", values)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith(case)]
    report = json.loads(values.read_text())
    assert len(rows) == len(report["cases"][case]) > 0
    for figure in report["cases"][case]:
        assert all(runs["runs"][0] > 0 for runs in figure["sets"].values())
    listed = subprocess.run(
        ["ip", "netns", "list"], capture_output=True, text=True, check=True
    ).stdout
    assert not [line for line in listed.splitlines() if is_left_over(line)]


def is_left_over(line):
    """A namespace of a benchmark that has ended; others may be running."""
    name, _, rest = line.partition("-")
    pid = rest.partition("-")[0]
    return name == "ovsbench" and not os.path.exists(f"/proc/{pid}")
