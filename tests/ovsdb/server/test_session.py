# SPDX-License-Identifier: Apache-2.0
"""Sessions: RFC 7047 section 4.1 and its extensions, message by message."""

import json
import random

import pytest
from tree_schema import Transactor, insert

from ovswitch.ovsdb.server.server import Server
from ovswitch.ovsdb.server.session import Session
from ovswitch.runtime import jsonrpc

ZERO = "00000000-0000-0000-0000-000000000000"


class Bench:
    """A server with one database, and clients that speak JSON."""

    def __init__(self):
        self.tree = Transactor()
        self.server = Server()
        self.served = self.server.add_database(self.tree.database)
        self.now = 0

    def client(self, name="client"):
        return Client(self, Session(self.server, name))

    def settle(self):
        self.server.settle(self.now, 1_700_000_000_000)


class Client:
    def __init__(self, bench, session):
        self.bench = bench
        self.session = session
        self.framer = jsonrpc.Framer()

    def send(self, method, params, request_id=1):
        message = jsonrpc.Message(method, params, request_id)
        self.session.handle(message, self.bench.now, 1_700_000_000_000)

    def receive(self):
        self.bench.settle()
        return [m.to_json() for m in self.framer.feed(self.session.take_output())]

    def call(self, method, *params):
        self.send(method, list(params))
        *_, reply = self.receive()
        return reply["error"] if reply.get("error") else reply["result"]

    def transact(self, *operations):
        return self.call("transact", "Tree", *operations)


@pytest.fixture
def bench():
    return Bench()


def notifications(messages):
    return [(m["method"], m["params"]) for m in messages if m.get("method")]


def test_simple_methods(bench):
    client = bench.client()
    assert client.call("list_dbs") == ["Tree"]
    assert client.call("get_schema", "Tree")["version"] == "1.2.3"
    assert client.call("get_server_id") == bench.server.uuid
    assert client.call("echo", "x", 1.5) == ["x", 1.5]
    assert client.call("nonsense") == "unknown method"
    assert client.call("set_db_change_aware", True) == {}
    assert client.call("get_schema", "Nope") == {
        "error": "unknown database",
        "details": "get_schema request specifies unknown database Nope",
        "syntax": '["Nope"]',
    }
    assert client.call("get_schema")["details"] == (
        "get_schema request params must begin with <db-name>"
    )


def test_the_update_for_ones_own_transaction_precedes_the_reply(bench):
    client = bench.client()
    client.call("monitor", "Tree", "m", {"Root": {"columns": ["name"]}})
    client.send("transact", ["Tree", insert("Root", name="a")])
    update, reply = client.receive()
    assert update["method"] == "update"
    (change,) = update["params"][1]["Root"].values()
    assert change == {"new": {"name": "a"}}
    assert reply["id"] == 1


def test_updates_of_the_three_versions(bench):
    clients = [bench.client() for _ in range(3)]
    for client, method in zip(
        clients, ("monitor", "monitor_cond", "monitor_cond_since"), strict=True
    ):
        extra = [ZERO] if method == "monitor_cond_since" else []
        requests = {"Root": [{"columns": ["name", "set", "number"]}]}
        client.call(method, "Tree", "m", requests, *extra)
    actor = bench.client()
    uuid = actor.transact(insert("Root", name="a", set=["set", [1, 2]]))[0]["uuid"][1]
    operation = {"op": "update", "table": "Root", "where": []}
    got = [notifications(client.receive()) for client in clients]
    new = {"name": "a", "set": ["set", [1, 2]], "number": 0}
    new2 = {"name": "a", "set": ["set", [1, 2]]}
    assert got[0] == [("update", ["m", {"Root": {uuid: {"new": new}}}])]
    assert got[1] == [("update2", ["m", {"Root": {uuid: {"insert": new2}}}])]
    assert got[2] == [("update3", ["m", ZERO, {"Root": {uuid: {"insert": new2}}}])]
    actor.transact({**operation, "row": {"set": ["set", [2, 3]]}})
    got = [notifications(client.receive()) for client in clients]
    change = {"old": {"set": ["set", [1, 2]]}, "new": {**new, "set": ["set", [2, 3]]}}
    assert got[0] == [("update", ["m", {"Root": {uuid: change}}])]
    modify = {"modify": {"set": ["set", [1, 3]]}}
    assert got[1] == [("update2", ["m", {"Root": {uuid: modify}}])]
    actor.transact({"op": "delete", "table": "Root", "where": []})
    got = [notifications(client.receive()) for client in clients]
    gone = {"old": {**new, "set": ["set", [2, 3]]}}
    assert got[0] == [("update", ["m", {"Root": {uuid: gone}}])]
    assert got[1] == [("update2", ["m", {"Root": {uuid: {"delete": None}}}])]


def test_changes_of_columns_that_arent_watched_tell_nothing(bench):
    client, actor = bench.client(), bench.client()
    client.call("monitor", "Tree", "m", {"Root": {"columns": ["name"]}})
    actor.transact(insert("Root", name="a"))
    client.receive()
    actor.transact({"op": "update", "table": "Root", "where": [], "row": {"number": 5}})
    assert client.receive() == []


def test_select_chooses_kinds_of_changes(bench):
    client, actor = bench.client(), bench.client()
    actor.transact(insert("Root", name="before"))
    select = {"initial": False, "insert": False, "modify": False}
    request = {"columns": ["name"], "select": select}
    assert client.call("monitor", "Tree", "m", {"Root": request}) == {}
    actor.transact(insert("Root", name="a", number=1))
    assert client.receive() == []
    actor.transact({"op": "delete", "table": "Root", "where": [["name", "==", "a"]]})
    ((_, (_, update)),) = notifications(client.receive())
    assert list(update["Root"].values()) == [{"old": {"name": "a"}}]


def test_rows_enter_and_leave_a_conditional_monitor(bench):
    client, actor = bench.client(), bench.client()
    where = [["number", ">=", 5]]
    request = {"columns": ["name"], "where": where}
    assert client.call("monitor_cond", "Tree", "m", {"Root": [request]}) == {}
    uuid = actor.transact(insert("Root", name="a", number=1))[0]["uuid"][1]
    assert client.receive() == []
    update = {"op": "update", "table": "Root", "where": []}
    actor.transact({**update, "row": {"number": 7}})
    entered = {"Root": {uuid: {"insert": {"name": "a"}}}}
    assert notifications(client.receive()) == [("update2", ["m", entered])]
    actor.transact({**update, "row": {"number": 2}})
    left = {"Root": {uuid: {"delete": None}}}
    assert notifications(client.receive()) == [("update2", ["m", left])]
    client.send("monitor_cond_change", ["m", "n", {"Root": [{"where": [True]}]}])
    change, reply = client.receive()
    assert change["params"] == ["m", entered] or change["params"] == ["n", entered]
    assert reply["result"] == {}
    client.send("monitor_cond_change", ["n", "n", {"Root": [{"where": [False]}]}])
    change, _ = client.receive()
    assert change["params"] == ["n", left]


@pytest.mark.parametrize(
    ("params", "details"),
    [
        (["Tree", "m", []], "monitor-requests must be object"),
        (["Tree", "m"], "invalid parameters"),
        (["Tree", "m", {"Nope": {}}], "no table named Nope"),
        (
            ["Tree", "m", {"Root": {"columns": ["x"]}}],
            "x is not a valid column name",
        ),
        (
            ["Tree", "m", {"Root": [{"columns": ["name"]}, {"columns": ["name"]}]}],
            "column name mentioned more than once",
        ),
        (
            ["Tree", "m", {"Root": {"where": []}}],
            "Parsing table Root failed: Member 'where' is present but not allowed "
            "here.",
        ),
        (
            ["Tree", "m", {"Root": {"select": {"x": True}}}],
            "Parsing table Root select failed: Member 'x' is present but not allowed "
            "here.",
        ),
    ],
)
def test_wrong_monitor_requests_are_refused(bench, params, details):
    assert bench.client().call("monitor", *params)["details"] == details
    assert not bench.served.views or not any(
        view.subscriptions for view in bench.served.views.values()
    )


def test_a_monitor_ends_when_it_is_canceled_or_its_client_goes(bench):
    client, actor = bench.client(), bench.client()
    client.call("monitor", "Tree", ["any", "json"], {"Root": {}})
    duplicate = client.call("monitor", "Tree", ["any", "json"], {"Root": {}})
    assert duplicate["details"] == "duplicate monitor ID"
    assert client.call("monitor_cancel", "x") == "unknown monitor"
    assert client.call("monitor_cancel", ["any", "json"]) == {}
    actor.transact(insert("Root", name="a"))
    assert client.receive() == []
    client.call("monitor", "Tree", "m", {"Root": {}})
    client.session.close()
    assert not bench.served.views


def test_a_slow_client_is_told_of_the_sum_of_changes(bench):
    client, actor = bench.client(), bench.client()
    client.call("monitor", "Tree", "m", {"Root": {"columns": ["number"]}})
    actor.transact(insert("Root", name="a"))
    client.receive()
    client.session.may_tell = False
    for number in range(100):
        row = {"number": number}
        actor.transact({"op": "update", "table": "Root", "where": [], "row": row})
        assert client.receive() == []
    client.session.may_tell = True
    bench.server.dirty.add(client.session)
    ((_, (_, update)),) = notifications(client.receive())
    (change,) = update["Root"].values()
    assert change == {"old": {"number": 0}, "new": {"number": 99}}


def wait_for(name, **more):
    return {
        "op": "wait",
        "table": "Root",
        "where": [],
        "columns": ["name"],
        "until": "==",
        "rows": [{"name": name}],
        **more,
    }


def test_a_waiting_transaction_runs_when_another_makes_it_true(bench):
    client, actor = bench.client(), bench.client()
    client.send("transact", ["Tree", wait_for("a")], 7)
    assert client.receive() == []
    actor.transact(insert("Root", name="a"))
    ids = [message["id"] for message in client.receive()]
    assert ids == [7]


def test_a_waiting_transaction_times_out(bench):
    client = bench.client()
    client.send("transact", ["Tree", wait_for("a", timeout=500)], 7)
    assert client.receive() == []
    assert bench.server.next_deadline() == 500
    bench.now = 499
    assert client.receive() == []
    bench.now = 500
    (reply,) = client.receive()
    assert reply["result"][0]["details"] == '"wait" timed out after 500 ms'
    assert bench.server.next_deadline() is None


def test_cancel_is_answered_for_clients_that_know_of_it(bench):
    for aware in (False, True):
        client = bench.client()
        client.call("set_db_change_aware", aware)
        client.send("transact", ["Tree", wait_for("a")], 7)
        client.send("cancel", [7], None)
        answers = [message["error"] for message in client.receive()]
        assert answers == (["canceled"] if aware else [])
        assert not bench.served.triggers


def test_an_id_in_use_is_refused(bench):
    client = bench.client()
    client.send("transact", ["Tree", wait_for("a")], 7)
    client.send("transact", ["Tree"], 7)
    (reply,) = client.receive()
    assert reply["error"]["details"] == "transact: duplicate request ID"


def test_locks_pass_on_and_can_be_stolen(bench):
    one, two, three = (bench.client(str(number)) for number in range(3))
    assert one.call("lock", "x") == {"locked": True}
    assert two.call("lock", "x") == {"locked": False}
    assert one.transact({"op": "assert", "lock": "x"}) == [{}]
    assert two.transact({"op": "assert", "lock": "x"})[0]["error"] == "not owner"
    assert "must issue" in one.call("lock", "x")["details"]
    assert three.call("steal", "x") == {"locked": True}
    assert notifications(one.receive()) == [("stolen", ["x"])]
    assert one.call("unlock", "x") == {}
    assert three.call("unlock", "x") == {}
    assert notifications(two.receive()) == [("locked", ["x"])]
    two.session.close()
    assert one.call("lock", "x") == {"locked": True}
    assert "without" in two.call("unlock", "y")["details"]
    assert one.call("lock", "1x")["details"] == "lock request params must be <id>"


def test_a_removed_database_ends_monitors_and_transactions(bench):
    aware, old = bench.client(), bench.client()
    aware.call("set_db_change_aware", True)
    for client in (aware, old):
        client.call("monitor", "Tree", "m", {"Root": {}})
    aware.send("transact", ["Tree", wait_for("a")], 9)
    bench.server.remove_database("Tree", "removing")
    messages = aware.receive()
    assert notifications(messages) == [("monitor_canceled", ["m"])]
    assert [m["error"] for m in messages if m.get("error")] == ["canceled"]
    assert old.session.is_dropped
    assert not aware.session.is_dropped


def test_a_read_only_session_changes_nothing(bench):
    session = Session(bench.server, "reader", read_only=True)
    client = Client(bench, session)
    (error,) = client.transact(insert("Root", name="a"))
    assert error["error"] == "not allowed"
    assert "DB server is read only" in client.call("lock", "x")


def test_durable_replies_wait_for_the_sync_and_tell_if_it_failed(bench):
    storage = bench.tree.storage
    client = bench.client()
    commit = {"op": "commit", "durable": True}
    client.send("transact", ["Tree", insert("Root", name="a"), commit])
    assert storage.needs_sync
    (reply,) = client.receive()
    assert not storage.needs_sync
    assert len(reply["result"]) == 2

    def fail():
        from ovswitch.ovsdb.error import io_error

        storage.needs_sync = False
        raise io_error(5, "x: fsync failed")

    storage.sync_pending = fail
    client.send("transact", ["Tree", insert("Root", name="b", number=1), commit])
    (reply,) = client.receive()
    assert reply["result"][2]["io-error"] == "Input/output error"


# Bad input


@pytest.mark.parametrize("seed", range(8))
def test_garbage_gets_errors_and_never_anything_worse(bench, seed):
    dice = random.Random(seed)
    atoms = [None, True, 0, -1, 1.5, "", "Root", "name", "==", "set", ["set", []], {}]
    methods = [
        "transact",
        "monitor",
        "monitor_cond",
        "monitor_cond_since",
        "monitor_cond_change",
        "monitor_cancel",
        "get_schema",
        "lock",
        "unlock",
        "steal",
        "convert",
        "echo",
        "cancel",
        "set_db_change_aware",
    ]

    def value(depth=0):
        kind = dice.randrange(6)
        if depth > 3 or kind < 3:
            return dice.choice(atoms)
        if kind == 3:
            return [value(depth + 1) for _ in range(dice.randrange(4))]
        members = ["op", "table", "where", "columns", "row", "rows", "select", "Root"]
        members += ["mutations", "until", "timeout", "uuid-name", "name", "durable"]
        found = {dice.choice(members): value(depth + 1) for _ in range(4)}
        if dice.random() < 0.7:
            ops = ["insert", "select", "update", "mutate", "delete", "wait", "assert"]
            found.update(op=dice.choice(ops), table=dice.choice(["Root", "Leaf"]))
        if dice.random() < 0.7:
            found["where"] = [value(3)]
        if dice.random() < 0.5:
            found["row"] = {"name": value(3), "map": value(2)}
        return found

    client = bench.client()
    for number in range(300):
        params = [dice.choice(["Tree", "x", value()]), *[value() for _ in range(3)]]
        client.send(dice.choice(methods), params[: dice.randrange(5)], number + 1)
        for message in client.receive():
            json.dumps(message)
    client.session.close()
    bench.settle()
    assert not bench.server.sessions
    assert not bench.served.triggers
    assert not bench.served.views


def test_an_unexpected_reply_ends_the_session(bench):
    client = bench.client()
    probe = jsonrpc.Message.reply([], "echo")
    client.session.handle(probe, 0, 0)
    assert client.session.error is None
    client.session.handle(jsonrpc.Message.reply([], 5), 0, 0)
    assert client.session.error == "received unexpected reply message"
