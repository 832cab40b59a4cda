# SPDX-License-Identifier: Apache-2.0
"""The documentation's examples run, on our server."""

import sys
from pathlib import Path

import pytest
from helpers.programs import SCHEMA, Ours, RunDir

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

EXPECTED = {
    "blocking_idl.py": ["br-demo ['br-demo']"],
    "asyncio_idl.py": [
        "new br-aio {}",
        "counted to 1",
        "changed br-aio ['external_ids'] {'count': '1'}",
        "counted to 2",
        "changed br-aio ['external_ids'] {'count': '2'}",
        "gone br-aio",
    ],
    "drop_in.py": ["success"],
    "ovsdbapp_bridge.py": ["{'hello': 'world'}", "['br-demo']"],
}


def test_every_example_is_tested():
    assert sorted(EXPECTED) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.slow
def test_examples_print_what_they_should():
    pytest.importorskip("ovsdbapp")
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Ours)
        remote = f"unix:{rundir.path}/db.sock"
        vsctl = [Ours.path("ovs-vsctl"), f"--db={remote}", "--no-wait", "init"]
        rundir.run(vsctl, check=True)
        for example, lines in EXPECTED.items():
            words = [sys.executable, EXAMPLES / example, remote]
            if "ovsdbapp" not in example:
                words[1:1] = ["-W", "error"]
                words.append(SCHEMA)
            result = rundir.run(words)
            assert not result.status, result
            assert sorted(result.out.splitlines()) == sorted(lines)
