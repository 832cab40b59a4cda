# SPDX-License-Identifier: Apache-2.0
"""A daemon written for the official bindings runs on ours: pidfile, control socket."""

import sys
from pathlib import Path

import pytest
from helpers.programs import Ours, RunDir, wait_until

PROGRAM = Path(__file__).parent / "programs" / "serve.py"
COMMANDS = [
    ["help"],
    ["echo", "a", "ä b"],
    ["echo", "1", "2", "3", "4"],
    ["fail"],
    ["nosuch"],
    ["vlog/reopen"],
]


def answers(bindings):
    with RunDir() as rundir:
        words = [sys.executable, *bindings, PROGRAM, "--detach", "--pidfile"]
        done = rundir.run([*words, "--no-chdir", "-vconsole:off", "-vsyslog:off"])
        assert not done.status, done
        target = ["-t", "serve.py"]
        found = [rundir.appctl(*target, *command) for command in COMMANDS]
        again = rundir.run([*words, "-vconsole:off", "-vsyslog:off"])
        assert again.status
        assert "already running" in again.err
        version = rundir.appctl(*target, "version").out
        assert version.startswith("serve.py (Open vSwitch) ")
        assert rundir.appctl(*target, "stop").out == "bye\n"
        wait_until(lambda: not list(rundir.path.glob("serve*")))
        return found


@pytest.mark.slow
def test_daemon_answers_as_with_the_official_bindings():
    ours = answers(["-m", "ovswitch.bindings"])
    assert ours[1].out == "said ['a', 'ä b']\n"
    pytest.importorskip("ovs.unixctl")
    assert ours == answers([])


def test_client_asks_a_daemon():
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Ours)
        code = (
            "from ovs import unixctl; from ovs.unixctl.client import UnixctlClient\n"
            "error, path = unixctl.socket_name_from_target('ovsdb-server')\n"
            "error, client = UnixctlClient.create(path)\n"
            "print(error, client.transact('version', []))\n"
            "print('not a valid' in client.transact('nosuch', [])[1])\n"
            "print(unixctl.socket_name_from_target('none')[0])"
        )
        script = rundir / "script.py"
        script.write_text(code)
        done = rundir.run([sys.executable, "-m", "ovswitch.bindings", script])
        version = "ovsdb-server (Open vSwitch) 3.1.0\\n"
        assert done.out == f"0 (0, None, '{version}')\nTrue\n2\n", done
