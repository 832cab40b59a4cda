# SPDX-License-Identifier: Apache-2.0
"""The clock, folders, counters, memory reports, and what tools may import."""

import subprocess
import sys

import pytest

from ovswitch.runtime import clock, coverage, dirs, fatal, memory, target
from ovswitch.runtime.unixctl import CommandError, Commands


@pytest.fixture
def still():
    clock.stop()
    yield
    clock.reset()


def test_stopped_time_moves_by_warps_alone(still):
    before, wall = clock.now(), clock.wall()
    heard = []
    end = clock.subscribe(lambda: heard.append(clock.now()))
    clock.warp(1234)
    end()
    clock.warp(1)
    assert heard == [before + 1234]
    assert clock.now() == before + 1235
    assert clock.seconds() * 1000 == pytest.approx(clock.now())
    assert clock.wall() - wall < 1000


def test_folders_follow_the_environment(monkeypatch):
    found = {}
    monkeypatch.setattr(dirs.posix, "environ", found)
    assert dirs.rundir() == "/var/run/openvswitch"
    assert dirs.dbdir() == "/etc/openvswitch"
    found.update({b"OVS_SYSCONFDIR": b"/s", b"OVS_RUNDIR": b"/r", b"OVS_LOGDIR": b""})
    assert (dirs.rundir(), dirs.dbdir()) == ("/r", "/s/openvswitch")
    assert dirs.logdir() == "/var/log/openvswitch"
    found[b"OVS_DBDIR"] = b"/d"
    assert dirs.dbdir() == "/d"
    assert dirs.abs_file_name("/r", "x") == "/r/x"
    assert dirs.abs_file_name("/r", "/x") == "/x"


def test_counters_have_the_references_fingerprint_and_rates(still, monkeypatch):
    monkeypatch.setattr(coverage, "_counters", {})
    monkeypatch.setattr(coverage, "_next_sample", None)
    monkeypatch.setattr(coverage, "_index", 0)
    assert coverage.fingerprint() == 0x63852AFC  # nothing hit, as the reference has it
    counter = coverage.Counter("some_event")
    assert coverage.Counter("some_event") is counter
    coverage.Counter("never")
    coverage.run()
    counter.add(30)
    clock.warp(5000)
    coverage.run()
    counter.add()
    assert coverage.lines()[1:] == [
        f"{'some_event':<24}   6.0/sec     0.500/sec        0.0083/sec   total: 31",
        "1 events never hit",
    ]
    clock.warp(60_000)
    assert coverage.lines()[1].split()[1:4] == ["0.2/sec", "0.017/sec", "0.0086/sec"]
    assert coverage.read("some_event") == 31
    assert coverage.read("nosuch") is None


def test_memory_reports_add_up(monkeypatch):
    monkeypatch.setattr(memory, "_sources", [])
    memory.register(lambda: {"rules": 2, "ports": 1})
    end = memory.register(lambda: {"rules": 3})
    assert memory.report() == "ports:1 rules:5"
    end()
    assert memory.report() == "ports:1 rules:2"


def test_commands_check_their_arguments():
    commands = Commands()
    commands.register("a", "X", 1, 2, lambda _args: None)
    commands.register("hidden", None, 0, None, lambda _args: None)
    assert commands.find("a", 2).name == "a"
    assert commands.find("hidden", 99).usage is None
    assert commands.listing() == "The available commands are:\n  a" + " " * 23 + "X\n"
    for name, n_args, text in (
        ("a", 0, '"a" command requires at least 1 arguments'),
        ("a", 3, '"a" command takes at most 2 arguments'),
        (
            "b",
            0,
            '"b" is not a valid command (use "list-commands" to see a list of '
            "valid commands)",
        ),
    ):
        with pytest.raises(CommandError) as caught:
            commands.find(name, n_args)
        assert str(caught.value) == text


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("tcp:1.2.3.4:5", "1.2.3.4", 5),
        ("tcp:[::1]:5", "::1", 5),
        ("tcp:[::1]", "::1", 6640),
        ("tcp:::1", "::1", 6640),
        ("ssl:host", "host", 6640),
        ("tcp:fe80::1%eth0", "fe80::1%eth0", 6640),
    ],
)
def test_active_methods(name, host, port):
    found = target.parse_active(name, target.OVSDB_PORT)
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("ptcp:5", "", 5),
        ("ptcp:", "", 6640),
        ("ptcp:0:1.2.3.4", "1.2.3.4", 0),
        ("pssl:7:[::1]", "::1", 7),
    ],
)
def test_passive_methods(name, host, port):
    found = target.parse_passive(name, target.OVSDB_PORT)
    assert (found.host, found.port) == (host, port)


def test_default_ports_are_filled_in():
    fill = target.with_default_port
    assert fill("tcp:1.2.3.4", 6653) == "tcp:1.2.3.4:6653"
    assert fill("tcp:1.2.3.4:1", 6653) == "tcp:1.2.3.4:1"
    assert fill("ptcp:", 6653) == "ptcp:6653"
    assert fill("unix:x", 6653) == "unix:x"


def test_error_numbers_have_texts():
    assert fatal.retval_text(2) == "No such file or directory"
    assert fatal.retval_text(fatal.EOF) == "End of file"


HEAVY = {
    "asyncio",
    "socket",
    "re",
    "dataclasses",
    "json",
    "logging",
    "argparse",
    "subprocess",
    "typing",
    "contextlib",
    "enum",
    "ssl",
    "os",
}


def test_tools_do_not_import_what_makes_them_slow():
    program = (
        "import sys\n"
        "sys.path[:] = [p for p in sys.path if p]\n"
        "from ovswitch.runtime import jsonrpc, options, pidfile, target, vlog\n"
        "from ovswitch.runtime.unixctl import client\n"
        "print(*sys.modules)"
    )
    root = dirs.__file__.rsplit("/ovswitch/", 1)[0]
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {root!r})\n" + program,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.reference
def test_help_texts_are_the_references(run_dir):
    from helpers.programs import Reference

    from ovswitch.runtime import daemon, program, vlog_control

    text = run_dir.run([Reference.path("ovsdb-server"), "--help"]).out
    folder, name = str(run_dir.path), program.name
    try:
        program.set_name("ovsdb-server")
        ours = [
            target.usage("JSON-RPC", active=True, passive=True, bootstrap=True),
            daemon.usage().replace(dirs.rundir(), folder),
            vlog_control.usage().replace(dirs.logdir(), folder),
        ]
    finally:
        program.set_name(name)
    for part in ours:
        assert part in text
