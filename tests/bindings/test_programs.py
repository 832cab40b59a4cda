# SPDX-License-Identifier: Apache-2.0
"""Programs written for the official bindings do the same with ours.

Each runs in processes of its own: with the official bindings and, under their names,
with ours; and on servers of both implementations. All must print the same.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers.programs import SCHEMA, Ours, Reference, RunDir

pytest.importorskip("ovs.db.idl")

PROGRAMS = Path(__file__).parent / "programs"
OFFICIAL = [sys.executable]
DROP_IN = [sys.executable, "-m", "ovswitch.bindings"]
TIMEOUT = 60


def output(server, bindings, program):
    with RunDir() as rundir:
        rundir.start_ovsdb_server(server)
        remote = f"unix:{rundir.path}/db.sock"
        vsctl = [server.path("ovs-vsctl"), f"--db={remote}", "--no-wait", "init"]
        rundir.run(vsctl, check=True)
        words = [*bindings, PROGRAMS / program, remote, SCHEMA]
        result = rundir.run(words, check=True, timeout=TIMEOUT)
        return result.out.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("program", ["follow.py", "app.py"])
def test_program_prints_the_same_with_either_bindings_on_either_server(program):
    if program == "app.py":
        pytest.importorskip("ovsdbapp")
    servers = [Ours] if Reference.missing() else [Ours, Reference]
    with ThreadPoolExecutor(2) as threads:
        running = {
            (server.name, name): threads.submit(output, server, bindings, program)
            for server in servers
            for name, bindings in (("official", OFFICIAL), ("drop-in", DROP_IN))
        }
    expected = running["ours", "official"].result()
    assert len(expected) > 20
    for combination, future in running.items():
        assert future.result() == expected, combination
