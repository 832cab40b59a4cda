# SPDX-License-Identifier: Apache-2.0
"""Bash completion: the scripts of `tools/completion/` beside the reference's.

Both have a mode for this: `bash FILE test 'LINE'` prints what a line of ovs-vsctl
completes to, `bash FILE debug WORD...` what is said about a line of the other tools.
They run in an empty folder, since the reference's match file names by accident.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers.programs import Ours, Reference, RunDir

OURS = Path(__file__).parents[2] / "tools" / "completion"
REFERENCE = Path("/usr/share/bash-completion/completions")
SYSTEM = "/usr/bin:/usr/sbin:/bin"
VSCTL, APPCTL = "ovs-vsctl-bashcomp.bash", "ovs-appctl-bashcomp.bash"

CONFIGURATION = (
    "--no-wait add-br br0 -- add-port br0 p0 -- add-port br0 p1 -- add-br br1 "
    "-- add-port br1 eth9 -- br-set-external-id br0 abc 1 "
    "-- br-set-external-id br0 abd 2 -- set Bridge br0 other-config:x=1"
)
VSCTL_LINES = (
    "--d",
    "add-",
    "add-br x b",
    "add-port br0 new other_config:",
    "del-port br0 p",
    "--if-exists del-",
    "list Bridge br",
    "get Bridge br0 external_ids:ab",
    "set Bridge br0 other_config:x",
    "remove Bridge br0 external_ids a",
    "set-controller br0 tcp:",
    "set-fail-mode br0 s",
    "add-br x -- add-port x ",
    "--columns=name find Bridge ",
    "iface-to-br e",
    "nonesuch br0 x",
)
APPCTL_LINES = (
    "ovs-appctl --tim",
    "ovs-appctl --target TAB",
    "ovs-appctl --target ovsdb-server ovsdb-server/com",
    "ovs-appctl bfd/set-forwarding p0 TAB",
    "ovs-appctl ofproto/trace br0 TAB",
    "ovs-appctl fdb/show br",
    "ovs-appctl exit TAB",
    "ovs-appctl nonesuch TAB",
    "ovs-ofctl add-flow br",
    "ovs-ofctl mod-port br0 p0 TAB",
    "ovs-ofctl monitor br0 TAB",
    "ovs-dpctl dump-flows TAB",
    "ovsdb-tool comp",
)


class Place:
    """A server, a database with two bridges, and an empty folder."""

    def __init__(self, implementation):
        self.rundir = RunDir()
        self.rundir.start_ovsdb_server(implementation)
        vsctl = implementation.path("ovs-vsctl")
        self.rundir.run([vsctl, *CONFIGURATION.split()], check=True)
        self._empty = self.rundir / "empty"
        self._empty.mkdir()
        folder = str(Path(vsctl).parent)
        path = SYSTEM if implementation is Reference else f"{folder}:{SYSTEM}"
        self._env = {"PATH": path, "HOME": str(self._empty), "LC_ALL": "C"}

    def complete(self, script, *words):
        words = ["env", "-C", self._empty, "bash", script, *words]
        result = self.rundir.run(words, env=self._env)
        return result.status, result.out

    def same(self, name, *words):
        """What both scripts make of a line."""
        with ThreadPoolExecutor(2) as pool:
            scripts = (REFERENCE / name, OURS / name)
            return pool.map(lambda script: self.complete(script, *words), scripts)


@pytest.fixture(scope="module")
def reference_place():
    if not (REFERENCE / VSCTL).exists():
        pytest.skip("the reference's completion isn't installed")
    place = Place(Reference)
    with place.rundir as rundir:
        rundir.run(
            [
                Reference.path("ovs-vswitchd"),
                "--enable-dummy=override",
                "--disable-system",
                "--detach",
                "--no-chdir",
                "--pidfile",
                "--log-file",
                "-vconsole:off",
            ],
            check=True,
        )
        yield place


@pytest.fixture(scope="module")
def our_place():
    place = Place(Ours)
    with place.rundir:
        yield place


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize("line", VSCTL_LINES)
def test_vsctl_lines_complete_as_with_the_reference(reference_place, line):
    expected, ours = reference_place.same(VSCTL, "test", line)
    assert ours == expected


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize("line", APPCTL_LINES)
def test_other_lines_complete_as_with_the_reference(reference_place, line):
    expected, ours = reference_place.same(APPCTL, "debug", *line.split())
    assert ours == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("add-po", ["add-port"]),
        ("list-ports ", ["br0", "br1"]),
        ("del-port br0 p", ["p0", "p1"]),
        ("get Bridge br0 external_ids:ab", ["--", "abc", "abd"]),
    ],
)
def test_completion_with_our_tool(our_place, line, expected):
    status, out = our_place.complete(OURS / VSCTL, "test", line)
    assert (status, out.split()) == (0, expected)


def test_scripts_are_installed_by_their_names():
    assert sorted(os.listdir(OURS)) == [APPCTL, VSCTL]
