# SPDX-License-Identifier: Apache-2.0
"""dpctl commands on a dummy datapath, beside the reference's."""

import re
import shlex
from pathlib import Path

import pytest

from ovswitch.datapath import dpctl
from ovswitch.datapath.dpif import Dpif
from ovswitch.runtime import program

pytest.importorskip("ovswitch.native.core")
from ovswitch.datapath.transport_dummy import DummyTransport

COMMANDS = {command.name: command for command in dpctl.COMMANDS}
FILES = {
    "F1": """\
in_port(1),eth(),eth_type(0x0800),ipv4(frag=no) 2
add in_port(2),eth(),eth_type(0x0800),ipv4(frag=no) 1
# a comment

zork
add zork 1
modify in_port(2),eth(),eth_type(0x0800),ipv4(frag=no) 5,6
add
""",
    "F2": "in_port(1),eth(),eth_type(0x0800),ipv4(frag=no) 7\n",
    "F3": "in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)\n" * 2,
}


class Ours:
    """Our dpctl, as ovs-vswitchd calls it, on a dummy datapath."""

    def __init__(self):
        self.transport = DummyTransport()
        dpif = Dpif.create_and_open(self.transport, "ovs-dummy")
        dpif.port_add("p1", "dummy", 1)
        dpif.port_add("p2", "dummy", 2)
        dpif.port_add("br0", "dummy-internal", 100)
        self.environment = dpctl.Environment(
            {"netdev": Nothing(), "dummy": self.transport}
        )

    def __call__(self, line):
        words = shlex.split(line)
        at = next(i for i, word in enumerate(words) if not word.startswith("-"))
        name = words.pop(at)
        return dpctl.run_unixctl(self.environment, COMMANDS[name], words)


class Nothing:
    """A transport without datapaths."""

    dp_type = "netdev"

    def transact(self, requests):
        from ovswitch.datapath.netlink import NLMSG_DONE, Message

        end = Message(NLMSG_DONE, 0, 0, 0)
        end.done = True
        return [[end] for _ in requests]


@pytest.fixture
def ours(monkeypatch):
    monkeypatch.setattr(program, "name", "ovs-vswitchd")
    ours = Ours()
    yield ours
    ours.transport.close()


@pytest.fixture
def files(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


SCRIPT = (Path(__file__).parent / "dpctl.script").read_text()


def normalise(text):
    """Hide random identifiers; the order of flows is nobody's promise."""
    text = re.sub(r"ufid:(?!00000000)[0-9a-f-]{36}", "ufid:U", text)
    return sorted(text.splitlines())


@pytest.mark.reference
def test_every_command_answers_as_the_references(ours, files, reference):
    reference.appctl("dpctl/del-flows")
    for line in SCRIPT.splitlines():
        line = re.sub(r"%(F\d)", rf"{files}/\1", line)
        words = shlex.split(line)
        at = next(i for i, word in enumerate(words) if not word.startswith("-"))
        name = words.pop(at)
        status, out, err = reference.appctl(f"dpctl/{name}", *words)
        expected = out + err.partition("ovs-appctl: ")[0]
        succeeded, text = ours(line)
        assert normalise(text) == normalise(expected), line
        assert succeeded == (status == 0), line


def test_flow_goes_through_its_life(ours):
    flow = "in_port(p1),eth(),eth_type(0x0800),ipv4(frag=no)"
    assert ours(f"add-flow {flow} 2") == (True, "")
    assert ours("--names dump-flows") == (
        True,
        "flow-dump from the main thread:\n"
        "recirc_id(0),in_port(p1),eth(),eth_type(0x0800),ipv4(frag=no), "
        "packets:0, bytes:0, used:never, actions:p2\n",
    )
    assert ours(f"-s mod-flow {flow} 1") == (True, "packets:0, bytes:0, used:never\n")
    assert ours(f"del-flow {flow}") == (True, "")
    assert ours("dump-flows") == (True, "")


def test_limits_on_arguments_and_read_only_mode(ours):
    out = []
    session = dpctl.Session(ours.environment, lambda text, _error: out.append(text))
    session.read_only = True
    for words, expected in (
        ([], "ovs-vswitchd: missing command name; use --help for help\n"),
        (["zork"], "ovs-vswitchd: unknown command 'zork'; use --help for help\n"),
        (
            ["add-flow"],
            "ovs-vswitchd: 'add-flow' command requires at least 2 arguments\n",
        ),
        (
            ["dump-dps", "x"],
            "ovs-vswitchd: 'dump-dps' command takes at most 0 arguments\n",
        ),
        (
            ["add-dp", "x"],
            "ovs-vswitchd: 'add-dp' command does not work in read only mode\n",
        ),
    ):
        out.clear()
        assert dpctl.run(session, words) == 22
        assert out == [expected]


def test_every_command_in_the_table_has_its_function():
    for command in dpctl.COMMANDS:
        assert callable(command.function)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("dump-conntrack", "starting conntrack dump"),
        ("ct-stats-show zone=5", "starting conntrack dump"),
        ("ct-bkts gt=5", "starting conntrack dump"),
        ("flush-conntrack", "failed to flush conntrack"),
        ("ct-get-maxconns", "maxconns could not be retrieved"),
        ("ct-set-maxconns 5", "ct set maxconns failed"),
        ("ct-get-nconns", "nconns could not be retrieved"),
        ("ct-enable-tcp-seq-chk", "enabling TCP sequence checking failed"),
        ("ct-get-limits", "failed to get conntrack limit"),
        ("ipf-set-enabled v4", "enabling fragmentation reassembly failed"),
        ("ipf-get-status", "ipf status could not be retrieved"),
    ],
)
def test_what_the_datapath_lacks_is_not_supported(ours, command, text):
    expected = f"ovs-vswitchd: {text} (Operation not supported)\n"
    assert ours(command) == (False, expected)
