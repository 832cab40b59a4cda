# SPDX-License-Identifier: Apache-2.0
"""ovsdb-server as a process: scripts compared with the reference's, and kill -9."""

import json
import os
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest
from helpers.programs import Ours, Reference, is_alive, wait_until

import ovswitch.ovsdb

SCHEMA = Path(ovswitch.ovsdb.__file__).parent / "vswitch.ovsschema"
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


class Server:
    """A database server of either implementation in a folder of its own."""

    def __init__(self, run_dir, implementation, name="db", options=()):
        self.run_dir = run_dir
        self.folder = run_dir / name
        self.folder.mkdir()
        self.file = self.folder / "conf.db"
        self.socket = self.folder / "db.sock"
        self.control = self.folder / "ctl"
        self.implementation = implementation
        tool = implementation.path("ovsdb-tool")
        run_dir.run([tool, "create", self.file, SCHEMA], check=True)
        self.options = options
        self.start()

    def start(self):
        self.process = self.run_dir.start(
            [
                self.implementation.path("ovsdb-server"),
                f"--remote=punix:{self.socket}",
                f"--unixctl={self.control}",
                "-vconsole:off",
                *self.options,
                self.file,
            ]
        )
        wait_until(self.answers)

    def answers(self):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket))
            except OSError:
                return False
        return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self, *words, implementation=None):
        program = (implementation or self.implementation).path("ovsdb-client")
        where = f"unix:{self.socket}"
        words = [where if word == "SOCK" else word for word in words]
        return self.run_dir.run([program, *words])

    def appctl(self, *words):
        program = Reference.path("ovs-appctl")
        return self.run_dir.run([program, "-t", str(self.control), *words])

    def transact(self, *operations):
        text = json.dumps(["Open_vSwitch", *operations])
        result = self.client("transact", "SOCK", text)
        return json.loads(result.out) if not result.status else result


def normalise(result, *servers):
    text = repr(result)
    for server in servers:
        text = text.replace(str(server.folder), "DIR")
    names = {}
    return UUID.sub(lambda m: names.setdefault(m[0], f"<{len(names)}>"), text)


ROW = {"dscp": 5, "external_ids": ["map", [["a", "b"]]]}
OPERATIONS = [
    [{"op": "insert", "table": "Queue", "row": ROW}],
    [{"op": "insert", "table": "Queue", "row": {"dscp": 99}}],
    [{"op": "insert", "table": "Nope", "row": {}}],
    [{"op": "insert", "table": "Queue", "row": {"nope": 1}}],
    [{"op": "insert", "table": "Queue", "row": {"dscp": "x"}}],
    [{"op": "insert", "table": "Queue", "rows": {}}],
    [{"op": "insert", "table": "Bridge", "row": {}}],
    [{"op": "insert", "table": "Mirror", "row": {"snaplen": 3}}],
    [{"op": "insert", "table": "Port", "row": {"interfaces": ["named-uuid", "z"]}}],
    [{"op": "insert", "table": "Port", "row": {"interfaces": ["set", []]}}],
    [{"op": "insert", "table": "QoS", "uuid": "zz", "row": {}}],
    [
        {"op": "insert", "table": "QoS", "uuid-name": "a", "row": {}},
        {"op": "insert", "table": "QoS", "uuid-name": "a", "row": {}},
    ],
    [
        {
            "op": "insert",
            "table": "QoS",
            "row": {"queues": ["map", [[1, ["named-uuid", "q"]]]], "type": "x"},
        },
        {"op": "insert", "table": "Queue", "uuid-name": "q", "row": {}},
        {"op": "select", "table": "QoS", "where": [], "columns": ["queues", "type"]},
    ],
    [{"op": "select", "table": "Queue", "where": [["dscp", ">", 4]]}],
    [{"op": "select", "table": "Queue", "where": [["dscp", "includes", 5]]}],
    [{"op": "select", "table": "Queue", "where": [["external_ids", "<", 5]]}],
    [{"op": "select", "table": "Queue", "where": [["nope", "==", 5]]}],
    [{"op": "select", "table": "Queue", "where": [["dscp", "~", 5]]}],
    [{"op": "select", "table": "Queue", "where": [], "columns": ["dscp", "dscp"]}],
    [{"op": "delete", "table": "Queue", "where": [["dscp", "==", 5]]}],
    [{"op": "mutate", "table": "Queue", "where": [], "mutations": [["dscp", "+=", 1]]}],
    [{"op": "mutate", "table": "Queue", "where": [], "mutations": [["x", "+=", 1]]}],
    [{"op": "mutate", "table": "Queue", "where": [], "mutations": [5]}],
    [{"op": "update", "table": "Interface", "where": [], "row": {"name": "x"}}],
    [{"op": "wait", "table": "QoS", "where": [], "until": "==", "rows": []}] * 0
    + [
        {
            "op": "wait",
            "table": "QoS",
            "where": [],
            "columns": ["type"],
            "until": "==",
            "rows": [{"type": "y"}],
            "timeout": 0,
        }
    ],
    [{"op": "assert", "lock": "x"}],
    [{"op": "assert", "lock": "1"}],
    [{"op": "commit", "durable": True}],
    [{"op": "commit", "durable": 1}],
    [{"op": "comment", "comment": "x"}, {"op": "abort"}, {"op": "comment"}],
    [{"op": "nonsense"}],
    [{"nop": 1}],
    [5],
    [],
    [{"op": "insert", "table": "Manager", "row": {"target": "x"}}] * 2,
    [{"op": "insert", "table": "Open_vSwitch", "row": {}}] * 2,
]

SCRIPT = [
    ["list-dbs", "SOCK"],
    ["get-schema", "SOCK"],
    ["get-schema-version", "SOCK"],
    ["get-schema-cksum", "SOCK"],
    ["list-tables", "SOCK"],
    ["list-columns", "SOCK"],
    ["list-columns", "-f", "html", "SOCK", "Open_vSwitch", "Bridge"],
    *(["transact", "SOCK", json.dumps(["Open_vSwitch", *ops])] for ops in OPERATIONS),
    ["transact", "SOCK", '["Nope"]'],
    ["transact", "SOCK", "[]"],
    ["transact", "SOCK", "{"],
    ["transact", "SOCK", '["_Server",{"op":"insert","table":"Database","row":{}}]'],
    ["query", "SOCK", '["Open_vSwitch",{"op":"insert","table":"QoS","row":{}}]'],
    ["dump", "SOCK"],
    ["dump", "-f", "list", "SOCK", "QoS"],
    ["dump", "-f", "csv", "-d", "json", "SOCK", "QoS"],
    ["dump", "-f", "json", "SOCK", "Queue", "dscp"],
    ["dump", "--bare", "SOCK", "Queue"],
    ["dump", "SOCK", "Nope"],
    ["dump", "SOCK", "Queue", "nope"],
    ["dump", "SOCK", "_Server", "Database", "name", "model", "leader"],
    ["needs-conversion", "SOCK", str(SCHEMA)],
    ["wait", "SOCK", "Open_vSwitch", "connected"],
    ["wait", "SOCK", "Open_vSwitch", "nonsense"],
    ["-t1", "monitor", "SOCK", "QoS", "type"],
    ["-t1", "monitor-cond", "SOCK", '[["type","==","x"]]', "QoS", "type"],
    ["-t1", "monitor-cond-since", "SOCK", "[true]", "QoS", "type"],
    ["-t1", "-f", "json", "monitor", "SOCK", "Mirror"],
    ["monitor", "SOCK", "Nope"],
    ["monitor", "SOCK", "Mirror", "nope"],
    ["-t1", "lock", "SOCK", "x"],
    ["nonsense", "SOCK"],
    ["list-dbs", "unix:/nonexistent"],
    ["-f", "nonsense", "list-dbs", "SOCK"],
]


@pytest.mark.reference
@pytest.mark.slow
def test_scripts_print_the_same_with_any_client_and_server(run_dir):
    """Each client on each server; the reference's client on its own is right."""
    pairs = [(Reference, Reference), (Reference, Ours), (Ours, Reference), (Ours, Ours)]
    servers = [
        Server(run_dir, server, f"s{number}")
        for number, (_, server) in enumerate(pairs)
    ]
    for words in SCRIPT:
        results = [
            normalise(server.client(*words, implementation=client), server)
            for (client, _), server in zip(pairs, servers, strict=True)
        ]
        results = [re.sub(r"\d+-\d+-\d+T[\d:]+Z\|\d+\|", "", r) for r in results]
        assert results[1:] == results[:1] * 3, words


COMMANDS = [
    "list-commands", "version", "ovsdb-server/list-dbs", "ovsdb-server/list-remotes",
    "ovsdb-server/tlog-list", "ovsdb-server/sync-status", "ovsdb-server/compact",
    "ovsdb-server/compact Nope", "ovsdb-server/compact _Server",
    "ovsdb-server/add-db nofile", "ovsdb-server/remove-db nofile",
    "ovsdb-server/remove-db _Server", "ovsdb-server/perf-counters-show",
    "ovsdb-server/get-db-storage-status Open_vSwitch",
    "ovsdb-server/get-db-storage-status Nope", "ovsdb-server/add-remote db:x",
    "ovsdb-server/add-remote db:x,y,z", "ovsdb-server/add-remote db:Open_vSwitch,y,z",
    "ovsdb-server/add-remote db:Open_vSwitch,Open_vSwitch,z",
    "ovsdb-server/add-remote db:Open_vSwitch,Open_vSwitch,manager_options",
    "ovsdb-server/list-remotes", "ovsdb-server/remove-remote x",
    "ovsdb-server/tlog-set x on", "ovsdb-server/tlog-set Open_vSwitch:Bridge maybe",
    "ovsdb-server/tlog-set Open_vSwitch:Bridge on", "ovsdb-server/tlog-list",
    "ovsdb-server/connect-active-ovsdb-server", "ovsdb-server/reconnect",
    "ovsdb-server/get-active-ovsdb-server", "ovsdb-server/get-sync-exclude-tables",
    "ovsdb-server/memory-trim-on-compaction maybe", "memory/show",
]  # fmt: skip


@pytest.mark.reference
def test_unixctl_commands_answer_as_the_references(run_dir):
    ours, theirs = Server(run_dir, Ours, "o"), Server(run_dir, Reference, "r")
    for words in COMMANDS:
        results = []
        for server in (ours, theirs):
            result = normalise(server.appctl(*words.split()), server)
            results.append(result)
        assert results[0] == results[1], words


@pytest.mark.reference
def test_files_of_either_implementation_open_in_the_other(run_dir):
    ours, theirs = Server(run_dir, Ours, "o"), Server(run_dir, Reference, "r")
    for server in (ours, theirs):
        server.transact({"op": "insert", "table": "Queue", "row": ROW})
        mutation = ["external_ids", "insert", ["map", [["c", "d"], ["a", "x"]]]]
        server.transact(
            {"op": "mutate", "table": "Queue", "where": [], "mutations": [mutation]}
        )
        server.kill()
    shutil.copy(ours.file, run_dir / "copy")
    shutil.copy(theirs.file, ours.file)
    shutil.copy(run_dir / "copy", theirs.file)
    dumps = []
    for server in (ours, theirs):
        server.start()
        dumps.append(normalise(server.client("dump", "SOCK", "Queue"), server))
    assert dumps[0] == dumps[1]
    assert "{a=b, c=d}" in dumps[0]
    logs = [
        run_dir.run([implementation.path("ovsdb-tool"), "-mm", "show-log", ours.file])
        for implementation in (Ours, Reference)
    ]
    assert logs[0] == logs[1]


def test_kill_9_loses_no_committed_transaction(run_dir):
    server = Server(run_dir, Ours)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.socket))
        request = {
            "op": "insert",
            "table": "Queue",
            "row": {"dscp": 5},
        }
        params = ["Open_vSwitch", request, {"op": "commit", "durable": True}]
        body = json.dumps({"method": "transact", "id": 1, "params": params}).encode()
        committed = set()
        for _ in range(40):
            client.sendall(body)
            reply = json.loads(client.recv(65536))
            committed.add(reply["result"][0]["uuid"][1])
        client.sendall(body * 3)
        server.kill()
    server.start()
    select = {"op": "select", "table": "Queue", "where": [], "columns": ["_uuid"]}
    (result,) = server.transact(select)
    kept = {row["_uuid"][1] for row in result["rows"]}
    assert committed <= kept
    assert len(kept) <= len(committed) + 3


def test_a_torn_tail_is_cut_with_a_warning(run_dir):
    server = Server(run_dir, Ours)
    server.transact({"op": "insert", "table": "Queue", "row": {"dscp": 1}})
    good = server.file.read_bytes()
    server.transact({"op": "insert", "table": "Queue", "row": {"dscp": 2}})
    server.kill()
    server.file.write_bytes(server.file.read_bytes()[:-7])
    server.options = (f"--log-file={server.folder}/log",)
    server.start()
    assert "|ovsdb_server|ERR|I/O error: " in (server.folder / "log").read_text()
    server.transact({"op": "insert", "table": "Queue", "row": {"dscp": 3}})
    select = {"op": "select", "table": "Queue", "where": [], "columns": ["dscp"]}
    (result,) = server.transact(select)
    assert sorted(row["dscp"] for row in result["rows"]) == [1, 3]
    assert server.file.read_bytes().startswith(good)


def test_detached_the_parent_returns_when_the_socket_answers(run_dir):
    tool, program = Ours.path("ovsdb-tool"), Ours.path("ovsdb-server")
    run_dir.run([tool, "create", run_dir / "conf.db", SCHEMA], check=True)
    remote = f"--remote=punix:{run_dir}/db.sock".replace(repr(run_dir), "")
    remote = f"--remote=punix:{run_dir / 'db.sock'}"
    run_dir.run([program, remote, "--detach", "--pidfile"], check=True)
    pid = int((run_dir / "ovsdb-server.pid").read_text())
    assert is_alive(pid)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(run_dir / "db.sock"))
    second = run_dir.run([program, remote, "--detach", "--pidfile=other.pid"])
    assert second.status == 1
    assert "failed to lock lockfile (Resource temporarily unavailable)" in second.err
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid))
    assert not (run_dir / "ovsdb-server.pid").exists()
    assert not (run_dir / "db.sock").exists()


def test_run_ends_with_the_commands_status(run_dir):
    program = Ours.path("ovsdb-server")
    for command, status in (("true", 0), ("exit 3", 1)):
        result = run_dir.run([program, "--no-dbs", f"--run={command}", "-voff"])
        assert result.status == status
        assert ("child exited, exit status 3" in result.err) == bool(status)


def test_a_database_is_converted_while_it_is_served(run_dir):
    server = Server(run_dir, Ours)
    server.transact({"op": "insert", "table": "Queue", "row": {"dscp": 7}})
    schema = json.loads(SCHEMA.read_text())
    schema["version"] = "9.0.0"
    schema["tables"]["Queue"]["columns"]["extra"] = {"type": "integer"}
    (run_dir / "new").write_text(json.dumps(schema))
    assert server.client("needs-conversion", "SOCK", run_dir / "new").out == "yes\n"
    assert server.client("convert", "SOCK", run_dir / "new").status == 0
    assert server.client("get-schema-version", "SOCK").out == "9.0.0\n"
    (result,) = server.transact(
        {"op": "select", "table": "Queue", "where": [], "columns": ["dscp", "extra"]}
    )
    assert result["rows"] == [{"dscp": 7, "extra": 0}]


def test_backup_and_restore_bring_everything_back(run_dir):
    server = Server(run_dir, Ours)
    server.transact(
        {
            "op": "insert",
            "table": "QoS",
            "row": {"queues": ["map", [[1, ["named-uuid", "q"]]]], "type": "x"},
        },
        {"op": "insert", "table": "Queue", "uuid-name": "q", "row": {"dscp": 3}},
    )
    before = normalise(server.client("dump", "SOCK"), server)
    saved = server.client("backup", "SOCK").out
    server.transact({"op": "delete", "table": "QoS", "where": []})
    restored = run_dir.run(
        [Ours.path("ovsdb-client"), "restore", f"unix:{server.socket}"], stdin=saved
    )
    assert restored.status == 0, restored
    assert normalise(server.client("dump", "SOCK"), server) == before


def test_a_manager_row_opens_a_remote_and_tells_its_state(run_dir):
    option = "--remote=db:Open_vSwitch,Open_vSwitch,manager_options"
    server = Server(run_dir, Ours, options=(option,))
    server.transact(
        {"op": "insert", "table": "Manager", "uuid-name": "m",
         "row": {"target": "ptcp:0:127.0.0.1"}},
        {"op": "insert", "table": "Open_vSwitch",
         "row": {"manager_options": ["named-uuid", "m"]}},
    )  # fmt: skip
    select = {"op": "select", "table": "Manager", "where": [], "columns": ["status"]}

    def port():
        (result,) = server.transact(select)
        return dict(result["rows"][0]["status"][1]).get("bound_port")

    wait_until(port)
    where = f"tcp:127.0.0.1:{port()}"
    found = run_dir.run([Ours.path("ovsdb-client"), "list-dbs", where])
    assert found.out == "Open_vSwitch\n_Server\n"
    server.transact({"op": "delete", "table": "Open_vSwitch", "where": []})

    def refuses():
        result = run_dir.run([Ours.path("ovsdb-client"), "list-dbs", where])
        return "Connection refused" in result.err

    wait_until(refuses)


def test_garbage_on_the_socket_hurts_only_its_sender(run_dir):
    server = Server(run_dir, Ours)
    pieces = [
        b"\x16\x03\x01junk", b"{", b'{"method":5}', b"[]", b'{"a":"\\u0000"}',
        b"\xff\xfe", b'{"id":1,"method":"transact","params":{}}', b"[" * 5000,
        b'{"id":1,"method":"echo","params":[' + b"1" * 1000 + b"]}",
    ]  # fmt: skip
    for piece in pieces:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(server.socket))
            client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
    assert server.client("list-dbs", "SOCK").status == 0
