# SPDX-License-Identifier: Apache-2.0
"""ovs-vsctl as a process: waiting for ovs-vswitchd, concurrency, connections."""

import subprocess
import threading

import pytest
from helpers.programs import Ours, Reference, RunDir, wait_until

import ovswitch.ovsdb
from ovswitch.ovsdb.idl import Idl, SchemaHelper, Transaction

SCHEMA = f"{ovswitch.ovsdb.__path__[0]}/vswitch.ovsschema"


class Switch(threading.Thread):
    """Stands in for ovs-vswitchd: says that it has done what was configured.

    Interfaces whose names begin with "bad" fail, "odd" ones without a reason.
    """

    def __init__(self, remote):
        super().__init__()
        helper = SchemaHelper(SCHEMA)
        helper.register_columns("Open_vSwitch", ["next_cfg", "cur_cfg"])
        helper.register_columns("Interface", ["name", "ofport", "error"])
        self._idl = Idl(remote, helper)
        self._stopping = threading.Event()

    def run(self):
        while not self._stopping.is_set():
            self._idl.wait(20)
            txn = Transaction(self._idl)
            for row in self._idl.tables["Interface"].rows.values():
                failed = row.name.startswith(("bad", "odd"))
                row.ofport = [-1 if failed else 1]
                if row.name.startswith("bad"):
                    row.error = ["it is bad"]
            for row in self._idl.tables["Open_vSwitch"].rows.values():
                if row.cur_cfg != row.next_cfg:
                    row.cur_cfg = row.next_cfg
            txn.commit_block()
        self._idl.close()

    def stop(self):
        self._stopping.set()
        self.join()


@pytest.fixture(scope="module")
def rundir():
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Ours)
        switch = Switch(f"unix:{rundir.path}/db.sock")
        switch.start()
        yield rundir
        switch.stop()


def vsctl(rundir, *words, implementation=Ours, **options):
    return rundir.run([implementation.path("ovs-vsctl"), *words], **options)


def test_waits_until_the_switch_is_configured(rundir):
    result = vsctl(rundir, "-t", "10", "add-br", "good", check=True)
    assert (result.out, result.err) == ("", "")
    current, wanted = vsctl(
        rundir, "get", "open", ".", "cur_cfg", "next_cfg"
    ).out.split()
    assert current == wanted


IMPLEMENTATIONS = [
    pytest.param(Ours, id="ours"),
    pytest.param(Reference, id="reference", marks=pytest.mark.reference),
]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_reports_interfaces_that_failed(rundir, implementation):
    name = implementation.name
    result = vsctl(
        rundir,
        "-t",
        "10",
        "add-br",
        f"odd-{name}",
        "--",
        "add-port",
        f"odd-{name}",
        f"bad-{name}",
        "--",
        "add-port",
        f"odd-{name}",
        f"fine-{name}",
        implementation=implementation,
    )
    assert result.status == 0
    assert result.err == (
        f"ovs-vsctl: Error detected while setting up 'odd-{name}'.  See ovs-vswitchd "
        f"log for details.\n"
        f"ovs-vsctl: Error detected while setting up 'bad-{name}': it is bad.  See "
        f"ovs-vswitchd log for details.\n"
        f'ovs-vsctl: The default log directory is "{rundir.path}".\n'
    )


def test_nothing_to_wait_for_when_nothing_changed(rundir):
    before = vsctl(rundir, "get", "open", ".", "next_cfg").out
    vsctl(rundir, "-t", "10", "--may-exist", "add-br", "good", check=True)
    assert vsctl(rundir, "get", "open", ".", "next_cfg").out == before


def test_concurrent_commands_all_succeed(rundir):
    """They conflict, and try again."""
    program = Ours.path("ovs-vsctl")
    children = [
        subprocess.Popen(
            [program, "--no-wait", "add-br", f"many{number}"],
            env=rundir.env,
            stderr=subprocess.PIPE,
        )
        for number in range(8)
    ]
    outcomes = [(child.communicate()[1], child.returncode) for child in children]
    assert outcomes == [(b"", 0)] * 8
    names = vsctl(rundir, "list-br").out.split()
    assert {f"many{number}" for number in range(8)} <= set(names)


def test_wait_until_waits(rundir):
    vsctl(rundir, "--no-wait", "--may-exist", "add-br", "waited", check=True)
    child = rundir.start(
        [
            Ours.path("ovs-vsctl"),
            "-t",
            "10",
            "wait-until",
            "bridge",
            "waited",
            "external_ids:a=b",
        ],
    )
    vsctl(rundir, "--no-wait", "set", "bridge", "waited", "external_ids:a=b")
    assert child.wait(10) == 0


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_time_limit(rundir, implementation):
    words = ("-t", "1", "-vPATTERN:console:%p|%c|%m", "wait-until", "bridge", "never")
    result = vsctl(rundir, *words, implementation=implementation)
    assert result.status == -14
    assert result.err == (
        "WARN|fatal_signal|terminating with signal 14 (Alarm clock)\n"
    )


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    ("remote", "reason"),
    [
        ("unix:/nonexistent/db.sock", "No such file or directory"),
        ("tcp:127.0.0.1:1", "Connection refused"),
        ("tcp:127.0.0.1:1,tcp:127.0.0.1:2", "Connection refused"),
        ("bogus:1", "Address family not supported by protocol"),
    ],
)
def test_failure_to_connect(rundir, implementation, remote, reason):
    result = vsctl(rundir, f"--db={remote}", "show", implementation=implementation)
    assert result.status == 1
    text = f"ovs-vsctl: {remote}: database connection failed ({reason})\n"
    assert result.err == text


def test_other_remotes_are_tried(rundir):
    remote = f"tcp:127.0.0.1:1,unix:{rundir.path}/db.sock"
    vsctl(rundir, f"--db={remote}", "show", check=True)


def test_retry_waits_for_the_server(tmp_path):
    with RunDir() as rundir:
        child = rundir.start(
            [Ours.path("ovs-vsctl"), "--retry", "-t", "15", "--no-wait", "init"]
        )
        rundir.start_ovsdb_server(Ours)
        assert child.wait(15) == 0


def test_server_connects_to_a_listening_client(rundir):
    child = rundir.start(
        [
            Ours.path("ovs-vsctl"),
            f"--db=punix:{rundir.path}/listen.sock",
            "-t",
            "15",
            "list-br",
        ],
        stdout=subprocess.PIPE,
    )
    wait_until((rundir.path / "listen.sock").exists)
    words = ("-t", "ovsdb-server", "ovsdb-server/add-remote")
    remote = f"unix:{rundir.path}/listen.sock"
    rundir.appctl(*words, remote, check=True)
    assert b"good" in child.communicate(timeout=15)[0]
    rundir.appctl("-t", "ovsdb-server", "ovsdb-server/remove-remote", remote)


@pytest.mark.reference
def test_comment_in_the_log_is_the_references(rundir):
    for implementation in (Ours, Reference):
        vsctl(
            rundir,
            "--no-wait",
            "set",
            "open",
            ".",
            f'external_ids:"by {implementation.name}"=x',
            implementation=implementation,
            check=True,
        )
    log = rundir.run(
        [Reference.path("ovsdb-tool"), "show-log", rundir.path / "conf.db"]
    ).out
    ours, reference = (
        line.partition('"ovs-vsctl')[2]
        for line in log.splitlines()
        if "by ours" in line or "by reference" in line
    )
    ours = ours.replace(Ours.path("ovs-vsctl"), Reference.path("ovs-vsctl"))
    assert reference == ours.replace("by ours", "by reference")
