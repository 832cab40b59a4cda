# SPDX-License-Identifier: Apache-2.0
"""What hostile, slow and numerous clients get, and what they cost."""

import contextlib
import json
import re
from pathlib import Path

import pytest
import requests_table
from server_pair import IMPLEMENTATIONS, Client, Ours, Server, wait_until


def echo(octets):
    return b'{"id":1,"method":"echo","params":' + octets + b"}"


HOSTILE = [
    b"x", b"}", b"]", b"null", b"5", b'"x"', b"true ", b",", b"[", b"[]", b"{}", b"{",
    b"\x00", b"\xff\xfe", b"\x16\x03\x01", b"\x01\x00\x00\x08", b"GET / HTTP/1.0\r\n",
    b'{"method":5}', b'{"method":"x"}', b'{"method":"x","params":{}}', b'{"id":1}',
    b'{"id":1,"method":"echo"}', b'{"id":1,"method":"echo","params":null}',
    b'{"id":1,"method":"echo","params":5}', b'{"id":1,"method":"echo","params":{}}',
    b'{"id":1,"method":"echo","params":[],"extra":1}',
    b'{"id":1,"method":"echo","params":[],"result":1}',
    b'{"id":1,"method":"echo","params":[],"error":1}',
    b'{"id":1,"method":null,"params":[]}', b'{"id":1,"method":"","params":[]}',
    b'{"id":1,"result":5}', b'{"id":1,"result":null,"error":null}',
    b'{"id":1,"result":5,"error":5}', b'{"id":1,"error":5}', b'{"result":5}',
    b'{"id":"echo","result":[]}', b'{"id":"echo","result":[],"error":null}',
    b'{"id":"echo","error":"x"}', b'{"id":null,"method":"echo","params":[]}',
    b'{"id":null,"method":"cancel","params":[5]}',
    b'{"id":1,"method":"echo","params":[1],"params":[2]}',
    echo(b"[1 2]"), echo(b"[1,]"), echo(b"[,]"), echo(b"[1}"), echo(b"[{1:2}]"),
    echo(b'[{"a"}]'), echo(b'[{"a":}]'), echo(b'[{"a":1,}]'), echo(b"[nul]"),
    echo(b"[nullx]"), echo(b"[True]"), echo(b"[NaN]"), echo(b"[Infinity]"),
    echo(b"[-]"), echo(b"[01]"), echo(b"[-0]"), echo(b"[-0.0]"), echo(b"[1.]"),
    echo(b"[.5]"), echo(b"[+1]"), echo(b"[1e]"), echo(b"[1e+]"), echo(b"[1e3]"),
    echo(b"[1.5e-3]"), echo(b"[1e400]"), echo(b"[1e-400]"),
    echo(b"[1E5,0.1,100000000000000000000]"), echo(b"[0x10]"), echo(b"[1e99999999999]"),
    echo(b"[9223372036854775807,-9223372036854775808,9223372036854775808]"),
    echo(b"[" + b"1" * 400 + b"]"), echo(b"[0." + b"1" * 400 + b"]"),
    echo(b'["\\u0000"]'), echo(b'["\\u00e4"]'), echo(b'["\\ud800"]'),
    echo(b'["\\udc00\\ud800"]'), echo(b'["\\ud83d\\ude00"]'), echo(b'["\\ud83dx"]'),
    echo(b'["\\u12"]'), echo(b'["\\u12G4"]'), echo(b'["\\x"]'), echo(b'["\\"]'),
    echo(b'["\\/\\b\\f\\n\\r\\t\\"\\\\"]'), echo(b'["\xc3\xa4"]'), echo(b'["\xff"]'),
    echo(b'["\xc0\x80"]'), echo(b'["\xed\xa0\x80"]'), echo(b'["\xf4\x90\x80\x80"]'),
    echo(b'["\xe4"]'), echo(b'["\n"]'), echo(b'["\t"]'), echo(b'["\x01"]'),
    echo(b'["\x00"]'), echo(b'["\x7f"]'), echo(b"[\x0b]"), echo(b"[\x00]"),
    echo(b"[/* x */]"), echo(b"['x']"), echo(b'[{"a":1,"a":2,"a":{"b":[]}}]'),
    echo(b"[" * 990 + b"]" * 990), echo(b"[" * 1100 + b"]" * 1100), b"[" * 5000,
    b'{"a":' * 1001, echo(b'["' + b"x" * 100_000 + b'"]'),
    echo(b"[]") + b" \t\r\n" + echo(b"[2]"), echo(b"[]") + b"\x00" + echo(b"[2]"),
    echo(b"[]") + b"}" + echo(b"[2]"), echo(b"[]") + b"x",
    b"\xef\xbb\xbf" + echo(b"[]"), b"   \n" + echo(b"[]"),
    b'{"id":1,"method":"transact","params":["Req",{"op":"comment","comment":"\xff"}]}',
    b'{"id":1,"method":"transact","params":["Req",{"op":"insert","table":"T",'
    b'"row":{"name":"\xff"}}]}',
    b'{"id":1,"method":"transact","params":["Req",{"op":"insert","table":"T",'
    b'"row":{"name":"\xed\xa0\x80"}}]}',
    b'{"id":1,"method":"transact","params":["Req",{"op":"insert","table":"T",'
    b'"row":{"i":1e3,"r":1e3,"oi":2.0,"rs":["set",[1,1.0]]}}]}',
    b'{"id":1,"method":"monitor","params":["Req",' + b"[" * 900 + b"]" * 900 + b",{}]}",
    b'{"id":' + b"[" * 900 + b"]" * 900 + b',"method":"echo","params":[]}',
    b'{"id":[1,2.50,"\xc3\xa4"],"method":"echo","params":[]}',
]  # fmt: skip


class Talk:
    """A connection on which one thing is said, and what comes of it."""

    def __init__(self, server, octets):
        self.client = Client(server.path)
        self.client.socket.settimeout(0)
        self.received = b""
        self.is_open = True
        try:
            self.client.send(octets)
        except OSError:
            self.is_open = False

    def outcome(self):
        """Return the answers so far, and whether the connection is still there."""
        try:
            while chunk := self.client.socket.recv(1 << 16):
                self.received += chunk
            self.is_open = False
        except BlockingIOError:
            pass
        except ConnectionError:
            self.is_open = False
        return self.received, self.is_open


@pytest.mark.reference
@pytest.mark.slow
def test_hostile_json_gets_the_same_answers_and_ends(servers):
    """What the answer is, in octets; whether the connection ends; what is logged."""
    for server in servers:
        server.appctl("vlog/disable-rate-limit")
    befores = [len(server.log) for server in servers]
    talks = [[Talk(server, octets) for octets in HOSTILE] for server in servers]

    def outcomes(number):
        return [talk.outcome() for talk in talks[number]]

    def logged(number):
        log = servers[number].log[befores[number] :]
        lines = re.sub(r"unix#\d+", "unix#N", log).splitlines()
        return sorted(line for line in lines if line.startswith(LOGGED))

    with contextlib.suppress(AssertionError):  # to say where
        wait_until(lambda: outcomes(0) == outcomes(1), timeout=3)
    different = [
        (octets[:200], theirs, ours)
        for octets, theirs, ours in zip(HOSTILE, outcomes(0), outcomes(1), strict=True)
        if theirs != ours
    ]
    assert not different
    wait_until(lambda: logged(0) == logged(1))
    assert len(logged(0)) > 50
    for talk in (*talks[0], *talks[1]):
        talk.client.close()


@pytest.fixture(scope="module")
def servers():
    made = []
    try:
        for implementation in IMPLEMENTATIONS:
            made.append(  # noqa: PERF401  closed also if the second fails
                Server(implementation, requests_table.SCHEMA, "-vPATTERN:file:%c|%p|%m")
            )
        yield made
    finally:
        for server in made:
            server.close()


@pytest.fixture(scope="module")
def ours():
    server = Server(Ours, requests_table.SCHEMA, "-vPATTERN:file:%c|%p|%m")
    yield server
    server.close()


def memory_of(server):
    """Return the octets of memory that a server's process has in use."""
    pid = server.run_dir.pid("ovsdb-server")
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10


def insert(size=0):
    row = {"many": "x" * size, "leaf": ["named-uuid", "l"]}
    leaf = {"op": "insert", "table": "Leaf", "uuid-name": "l", "row": {}}
    return [{"op": "insert", "table": "Must", "row": row}, leaf]


def delete_all():
    return {"op": "delete", "table": "Must", "where": []}


MEGABYTE = 1 << 20
LOGGED = ("jsonrpc|", "reconnect|", "ovsdb_jsonrpc_server|")


@pytest.mark.slow
def test_requests_whose_answers_nobody_reads_cost_little(ours):
    """Each answer has a megabyte; of thousands asked for, only a few are made."""
    client = ours.client("a")
    client.call("transact", "Req", *insert(MEGABYTE))
    before = memory_of(ours)
    select = {"op": "select", "table": "Must", "where": []}
    message = {"id": 1, "method": "transact", "params": ["Req", select]}
    request = json.dumps(message).encode()
    with Client(ours.path) as greedy:
        greedy.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            greedy.send(request * 100_000)
        assert memory_of(ours) - before < 20 * MEGABYTE
        greedy.socket.settimeout(10)
        for _ in range(20):
            assert greedy.receive()["result"]
    client.call("transact", "Req", delete_all())


@pytest.mark.slow
def test_a_monitor_that_nobody_reads_costs_little_and_catches_up(ours):
    actor = ours.client("a")
    with Client(ours.path) as slow:
        slow.call("monitor", "Req", "m", {"Must": {"columns": ["many"]}})
        actor.call("transact", "Req", *insert(MEGABYTE))
        before = memory_of(ours)
        for letter in "abcdefghijklz":
            row = {"many": letter * MEGABYTE}
            update = {"op": "update", "table": "Must", "where": [], "row": row}
            assert actor.call("transact", "Req", update)["result"] == [{"count": 1}]
        assert memory_of(ours) - before < 20 * MEGABYTE
        n_updates, last = 0, ""
        while not last.startswith("z"):
            (row,) = slow.receive()["params"][1]["Must"].values()
            last = row["new"]["many"]
            n_updates += 1
        assert n_updates < 8
    actor.call("transact", "Req", delete_all())


@pytest.mark.slow
def test_a_thousand_idle_and_two_hundred_busy_clients_are_held(ours):
    clients = [Client(ours.path) for _ in range(1200)]
    try:
        for client in clients[:200]:
            client.send({"id": 1, "method": "list_dbs", "params": []})
            client.send({"id": 2, "method": "lock", "params": ["the_lock"]})
        for client in clients[:200]:
            assert "_Server" in client.receive()["result"]
            assert client.receive()["result"] in ({"locked": True}, {"locked": False})
        counts = ours.appctl("memory/show").out
        assert int(re.search(r"sessions:(\d+)", counts)[1]) >= 1200
        for client in clients[-10:]:
            assert client.call("echo", "x")["result"] == ["x"]
    finally:
        for client in clients:
            client.close()


@pytest.mark.slow
def test_a_client_that_is_sent_away_without_reading_leaves_nothing(ours):
    actor = ours.client("a")
    actor.call("transact", "Req", *insert(MEGABYTE))
    with Client(ours.path) as stuck:
        stuck.send({"id": 1, "method": "monitor", "params": ["Req", 1, {"Must": {}}]})
        actor.sync()
        ours.appctl("ovsdb-server/reconnect")
        ours.forget("a")
        pattern = re.compile(r"sessions:1\b")
        show = "memory/show"
        ours.client("b").sync()
        wait_until(lambda: pattern.search(ours.appctl(show).out))
        stuck.socket.settimeout(10)
        while stuck.socket.recv(1 << 20):
            pass
    ours.client("b").call("transact", "Req", delete_all())
