# SPDX-License-Identifier: Apache-2.0
"""Backups and relays as processes, each implementation following the other."""

import copy
import json
import os
import signal
import socket

import pytest
from helpers.programs import Ours, Reference, RunDir, wait_until
from server_pair import Client
from tree_schema import TREE, insert

PAIRS = [
    pytest.param(Reference, Ours, id="ours-follows", marks=pytest.mark.reference),
    pytest.param(Ours, Reference, id="ours-is-followed", marks=pytest.mark.reference),
    pytest.param(Ours, Ours, id="ours-only"),
]
pytestmark = pytest.mark.slow
ALL = {"op": "select", "table": "Root", "where": [], "columns": ["name", "number"]}


def answers(path):
    """Return whether a socket is listened to; it exists a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


class Server:
    """A server that can be stopped and started again."""

    def __init__(self, implementation, *options, schema=None):
        self.implementation = implementation
        self.run_dir = RunDir()
        self.options = options
        self.files = []
        if schema is not None:
            (self.run_dir / "schema").write_text(json.dumps(schema))
            self.files = [self.run_dir / "tree.db"]
            words = ["create", *self.files, self.run_dir / "schema"]
            self.run_dir.run([implementation.path("ovsdb-tool"), *words], check=True)
        self.start()

    @property
    def remote(self):
        return f"unix:{self.run_dir / 'db.sock'}"

    def start(self):
        self.process = self.run_dir.start(
            [
                self.implementation.path("ovsdb-server"),
                *self.files,
                f"--remote=p{self.remote}",
                f"--unixctl={self.run_dir / 'ctl'}",
                f"--log-file={self.run_dir / 'log'}",
                "-vconsole:off",
                *self.options,
            ]
        )
        wait_until(lambda: answers(self.run_dir / "ctl"))

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def client(self):
        return Client(self.run_dir / "db.sock")

    def ask(self, *words):
        """Run a unixctl command; return its text."""
        with Client(self.run_dir / "ctl") as control:
            answer = control.call(*words)
        return (answer.get("error") or answer["result"]).rstrip()

    def transact(self, *operations):
        with self.client() as client:
            return client.call("transact", "Tree", *operations)["result"]

    def rows(self):
        with self.client() as client:
            result = client.call("transact", "Tree", ALL).get("result")
        if not result:
            return None
        return sorted((row["name"], row["number"]) for row in result[0]["rows"])


@pytest.fixture
def servers():
    started = []

    def start(*arguments, **options):
        started.append(Server(*arguments, **options))
        return started[-1]

    yield start
    for server in started:
        server.run_dir.close()


def agree(one, other):
    wait_until(lambda: one.rows() == other.rows())


@pytest.mark.parametrize(("leader", "follower"), PAIRS)
def test_a_backup_follows_and_takes_over(servers, leader, follower):
    active = servers(leader, schema=TREE)
    active.transact(insert("Root", name="one", number=1))
    backup = servers(follower, f"--sync-from={active.remote}", schema=TREE)
    agree(active, backup)
    status = f"state: backup\nreplicating: {active.remote}\ndatabase: Tree"
    assert backup.ask("ovsdb-server/sync-status") == status
    active.transact(insert("Root", name="two", number=2))
    agree(active, backup)
    assert backup.transact(insert("Root", name="x"))[0]["error"] == "not allowed"

    active.stop()
    backup.ask("ovsdb-server/disconnect-active-ovsdb-server")
    assert backup.ask("ovsdb-server/sync-status") == "state: active"
    backup.transact(insert("Root", name="three", number=3))
    # The roles change: what was active becomes the backup of what took over.
    active.options = (f"--sync-from={backup.remote}", "--active")
    active.start()
    assert active.ask("ovsdb-server/sync-status") == "state: active"
    assert active.ask("ovsdb-server/get-active-ovsdb-server") == backup.remote
    active.ask("ovsdb-server/connect-active-ovsdb-server")
    agree(active, backup)
    assert len(active.rows()) == 3
    assert active.transact(insert("Root", name="x"))[0]["error"] == "not allowed"


@pytest.mark.parametrize(("leader", "follower"), PAIRS)
def test_a_relay_follows_forwards_and_outlives_its_source(servers, leader, follower):
    source = servers(leader, schema=TREE)
    source.transact(insert("Root", name="one", number=1))
    relay = servers(follower, f"relay:Tree:{source.remote}")
    wait_until(lambda: relay.rows() == [("one", 1)])
    with relay.client() as client:
        monitor = {"Root": [{"columns": ["number"]}]}
        client.call("monitor_cond", "Tree", "m", monitor)
        (result,) = relay.transact(insert("Root", name="two", number=2))
        assert client.receive()["params"] == [
            "m",
            {"Root": {result["uuid"][1]: {"insert": {"number": 2}}}},
        ]
        _, error = relay.transact(insert("Root", name="two", number=3))
        assert error["error"] == "constraint violation"

        source.stop()
        log = relay.run_dir / "log"
        wait_until(lambda: "connection closed by peer" in log.read_text())
        message = {"id": "wait", "method": "transact"}
        message["params"] = ["Tree", insert("Root", name="three", number=3)]
        client.send(message)
        assert client.sync() == []
        source.start()
        answers = [client.receive(), client.receive()]
        assert {answer["id"] for answer in answers} == {None, "wait"}
        agree(source, relay)
        assert len(source.rows()) == 3


@pytest.mark.parametrize(("leader", "follower"), PAIRS[:1] + PAIRS[2:])
def test_a_relay_follows_a_conversion(servers, leader, follower):
    """The reference's relay may miss one of the reference's source."""
    source = servers(leader, schema=TREE)
    relay = servers(follower, f"relay:Tree:{source.remote}")
    wait_until(lambda: relay.rows() == [])
    schema = copy.deepcopy(TREE)
    schema["version"] = "2.0.0"
    schema["tables"]["Extra"] = {"columns": {"a": {"type": "integer"}}}
    with source.client() as client:
        assert client.call("convert", "Tree", schema)["result"] == {}

    def is_there():
        (result,) = relay.transact(insert("Extra", a=5))
        return "uuid" in result

    wait_until(is_there)
    with relay.client() as client:
        assert client.call("get_schema", "Tree")["result"]["version"] == "2.0.0"
        assert client.call("convert", "Tree", schema)["error"] == {
            "error": "not allowed",
            "details": "cannot convert relay database Tree",
        }


@pytest.mark.parametrize("middle", [pytest.param(Reference,
                         marks=pytest.mark.reference), Ours])  # fmt: skip
def test_a_relay_of_a_relay(servers, middle):
    source = servers(Ours, schema=TREE)
    first = servers(middle, f"relay:Tree:{source.remote}")
    second = servers(Ours, f"relay:Tree:{first.remote}")
    wait_until(lambda: second.rows() == [])
    second.transact(insert("Root", name="one", number=1))
    assert source.rows() == [("one", 1)]
    agree(source, second)
    assert second.ask("ovsdb-server/remove-db", "Tree") == ""
    assert second.ask("ovsdb-server/list-dbs") == "_Server"
    assert second.ask("ovsdb-server/add-db", f"relay:Tree:{first.remote}") == ""
    agree(source, second)


def test_roles_and_relays_survive_a_crash_under_monitor(servers):
    active = servers(Ours, schema=TREE)
    backup = servers(Ours, "--no-dbs")
    backup.stop()
    schema = active.run_dir / "schema"
    file = backup.run_dir / "tree.db"
    words = [Ours.path("ovsdb-tool"), "create", file, schema]
    backup.run_dir.run(words, check=True)
    backup.files = [file, "relay:Other:unix:nowhere"]
    backup.options = ("--detach", "--monitor", "--pidfile", "--no-chdir")
    backup.start()
    backup.ask("ovsdb-server/set-active-ovsdb-server", active.remote)
    backup.ask("ovsdb-server/set-sync-exclude-tables", "Tree:Leaf")
    backup.ask("ovsdb-server/connect-active-ovsdb-server")
    pid = backup.run_dir.pid("ovsdb-server")
    os.kill(pid, signal.SIGSEGV)
    wait_until(lambda: backup.run_dir.pid("ovsdb-server") not in {None, pid})
    wanted = f"replicating: {active.remote}\ndatabase: Tree\nexclude: Tree:Leaf"

    def is_back():
        words = ["-t", backup.run_dir / "ctl", "ovsdb-server/sync-status"]
        return wanted in backup.run_dir.appctl(*words).out

    wait_until(is_back)
    assert backup.ask("ovsdb-server/list-dbs") == "Other\nTree\n_Server"
    backup.ask("exit")
    wait_until(lambda: backup.run_dir.pid("ovsdb-server") is None)
