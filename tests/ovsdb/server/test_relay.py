# SPDX-License-Identifier: Apache-2.0
"""Relays: contents, forwarded transactions, lost connections, changes of schema."""

import copy

import pytest
from tree_schema import TREE, insert
from upstream_bench import WALL, ZERO, Client, Link, Node

from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.server.history import MAX_TRANSACTIONS, History
from ovswitch.ovsdb.server.relay import MAX_RECONNECTION_MS, Relay
from ovswitch.runtime import jsonrpc

LEAF_MONITOR = {"Root": [{"columns": ["name", "number"]}]}


class RelayNode(Node):
    """A server with a relay of another node's Tree."""

    def __init__(self, source):
        super().__init__(None)
        self.relay = Relay("relay:Tree:unix:x", self.server, lambda _: self.tell())
        self.link = Link(self.relay, source)
        self.tell()

    def sync(self):
        """Carry messages between us and the source, and update `_Server`."""
        if self.link.client is None:
            self.link.connect()
        else:
            self.link.pump()
        if self.relay.update_status(self.now):
            self.tell()
        self.settle()
        return self


@pytest.fixture
def source():
    node = Node()
    Client(node).transact(insert("Root", name="one", number=1))
    return node


@pytest.fixture
def node(source):
    return RelayNode(source).sync()


def test_before_the_source_is_known_the_database_is_not_available(source):
    node = RelayNode(source)
    client = Client(node)
    assert sorted(client.call("list_dbs")) == ["Tree", "_Server"]
    assert client.call("get_schema", "Tree") == {
        "error": "database not available",
        "details": "get_schema request specifies database Tree which is not yet "
        "available because it has not completed joining its cluster",
    }
    row = node.described()
    assert (row["model"], row["connected"], row["schema"]) == (("relay",), (False,), ())


def test_schema_and_contents_come_from_the_source(source, node):
    assert node.contents() == source.contents()
    assert node.tree.schema.to_json() == source.tree.schema.to_json()
    row = node.described()
    assert row["connected"] == (True,)
    assert row["leader"] == (False,)
    assert row["schema"] == source.described()["schema"]


def test_clients_that_cannot_notice_are_dropped_when_the_schema_comes(source):
    node = RelayNode(source)
    unaware, aware = Client(node), Client(node)
    aware.call("set_db_change_aware", True)
    node.sync()
    assert unaware.session.is_dropped
    assert not aware.session.is_dropped


def test_what_reads_is_answered_here_and_what_writes_at_the_source(source, node):
    client = Client(node)
    (rows,) = client.transact(
        {"op": "select", "table": "Root", "where": [], "columns": ["name"]}
    )
    assert rows == {"rows": [{"name": "one"}]}
    assert "transact" not in node.link.seen
    client.call("monitor", "Tree", "m", LEAF_MONITOR)
    client.send("transact", "Tree", insert("Root", name="two", number=2))
    assert client.receive() == []
    node.sync()
    assert node.link.seen[-1] == "transact"
    update, reply = client.receive()  # in that order
    assert update["method"] == "update"
    assert list(update["params"][1]["Root"]) == [reply["result"][0]["uuid"][1]]
    assert reply["id"] == 1
    assert len(source.tree.tables["Root"].rows) == 2


def test_errors_that_show_at_once_are_not_forwarded(node):
    client = Client(node)
    (error,) = client.transact(insert("Nope"))
    assert error["details"].endswith("No table named Nope.")
    assert "transact" not in node.link.seen


def test_errors_of_the_source_come_back(source, node):
    client = Client(node)
    client.send("transact", "Tree", insert("Root", name="one", number=2))
    node.sync()
    (reply,) = client.receive()
    assert reply["result"][1]["error"] == "constraint violation"
    assert node.contents() == source.contents()


def test_a_wait_is_forwarded_once_it_is_satisfied(source, node):
    client = Client(node)
    wait = {"op": "wait", "table": "Root", "where": [["name", "==", "two"]],
            "columns": ["number"], "until": "==", "rows": [{"number": 2}]}  # fmt: skip
    client.send("transact", "Tree", wait, insert("Root", name="three", number=3))
    node.sync()
    assert client.receive() == []
    Client(source).transact(insert("Root", name="two", number=2))
    node.sync().sync()
    (reply,) = client.receive()
    assert len(reply["result"]) == 2
    assert node.contents() == source.contents()


def test_a_transaction_waits_for_a_connection(source):
    node = RelayNode(source).sync()
    node.link.cut()
    client = Client(node)
    client.send("transact", "Tree", insert("Root", name="two", number=2))
    assert client.receive() == []
    node.sync()
    (reply,) = client.receive()
    assert "uuid" in reply["result"][0]


def test_a_transaction_in_flight_is_canceled_with_the_connection(source, node):
    client = Client(node)
    client.send(
        "transact", "Tree", insert("Root", name="two", number=2), request_id="x"
    )
    node.relay.take_output()  # it leaves, but never arrives
    node.link.cut()
    assert client.receive() == [{"id": "x", "error": "canceled"}]
    node.sync()
    assert len(source.tree.tables["Root"].rows) == 1


def test_a_client_that_cancels_or_goes_costs_nothing(source, node):
    node.link.cut()
    client, other = Client(node), Client(node)
    client.call("set_db_change_aware", True)
    client.send("transact", "Tree", insert("Root", name="two", number=2), request_id=5)
    other.send("transact", "Tree", insert("Root", name="three", number=3), request_id=5)
    client.send("cancel", 5, request_id=None)
    assert client.receive() == [{"id": 5, "error": "canceled"}]
    other.session.close()
    node.sync()
    assert client.receive() == []
    assert len(source.tree.tables["Root"].rows) == 1


def test_two_transactions_with_one_id_are_refused_as_ever(node):
    client = Client(node)
    client.send("transact", "Tree", insert("Root", name="a", number=5), request_id=5)
    client.send("transact", "Tree", insert("Root", name="b", number=6), request_id=5)
    (reply,) = client.receive()
    assert "duplicate request ID" in reply["error"]["details"]


def test_clients_cannot_commit_to_a_relay_while_it_is_read_only(node):
    node.server.read_only = True
    (error,) = Client(node).transact(insert("Root", name="a"))
    assert error["error"] == "not allowed"


def test_monitors_live_through_a_lost_connection(source, node):
    client = Client(node)
    client.call("monitor_cond", "Tree", "m", LEAF_MONITOR)
    node.link.cut()
    Client(source).transact(
        {"op": "update", "table": "Root", "where": [], "row": {"number": 7}},
        insert("Root", name="two", number=2),
    )
    node.sync()
    (update,) = client.receive()
    kinds = sorted(next(iter(row)) for row in update["params"][1]["Root"].values())
    assert kinds == ["insert", "modify"]  # what is the same on both sides isn't told
    assert node.contents() == source.contents()


def test_a_relay_counts_as_connected_for_some_time(source, node):
    node.now = source.now = 1000
    node.link.cut()
    assert not node.relay.update_status(1000 + MAX_RECONNECTION_MS - 1)
    assert node.relay.update_status(1000 + MAX_RECONNECTION_MS)
    node.tell()
    assert node.described()["connected"] == (False,)
    node.sync()
    assert node.described()["connected"] == (True,)


@pytest.mark.parametrize("is_aware", [False, True])
def test_a_new_schema_at_the_source_is_followed(source, node, is_aware):
    client = Client(node)
    client.call("set_db_change_aware", is_aware)
    client.call("monitor", "Tree", "m", LEAF_MONITOR)
    schema = copy.deepcopy(TREE)
    schema["version"] = "2.0.0"
    schema["tables"]["Extra"] = {"columns": {"a": {"type": "integer"}}}
    old = source.tree
    source.server.replace_database("Tree", _converted(old, schema), "conversion")
    source.tell()
    node.sync()
    assert node.tree.schema.version == "2.0.0"
    assert node.contents() == source.contents()
    assert node.described()["schema"] == source.described()["schema"]
    assert client.session.is_dropped is not is_aware
    if is_aware:
        assert {"id": None, "method": "monitor_canceled", "params": ["m"]} in (
            client.receive()
        )


def _converted(database, schema_json):
    from ovswitch.ovsdb.schema import Schema

    return database.converted(Schema.from_json(schema_json))


def test_a_database_that_comes_late_is_found():
    source = Node(None)
    node = RelayNode(source)
    node.link.client = Client(source)
    node.relay.connected("link", 0)
    for request in node.relay.take_output():
        node.link.client.session.handle(request, 0, WALL)
    for answer in node.link.client.receive():
        node.relay.receive(jsonrpc.from_json(answer), 0, WALL)
    source.serve(TREE)
    node.sync()
    assert node.described()["connected"] == (True,)


def test_a_relay_of_a_relay(source, node):
    second = RelayNode(node).sync()
    client = Client(second)
    client.send("transact", "Tree", insert("Root", name="two", number=2))
    second.sync()
    node.sync()
    second.sync()
    (reply,) = client.receive()
    assert "uuid" in reply["result"][0]
    assert second.contents() == source.contents()


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("relay:Tree", "ovsdb error: relay:Tree: invalid syntax"),
        ("relay:_Server:unix:x", "names beginning with \"_\" are reserved"),
        ("relay:Tree:unix:x", "ovsdb error: Tree: duplicate database name"),
    ],
)  # fmt: skip
def test_wrong_specifications(source, specification, message):
    with pytest.raises(OvsdbError) as caught:
        Relay(specification, source.server, lambda _: None)
    assert str(caught.value).endswith(message)


# The history. A source with ids of transactions is played by hand: only clusters are.


class Played:
    """A relay whose source's messages are written here."""

    def __init__(self):
        self.node = Node(None)
        self.relay = Relay(
            "relay:Tree:unix:x", self.node.server, lambda _: self.node.tell()
        )
        self.node.tell()
        self.relay.connected("x", 0)
        self.answer_all()

    def answer_all(self):
        schema = Node().server.databases["Tree"].database.schema.to_json()
        while requests := self.relay.take_output():
            for request in requests:
                result, error = {}, None
                if request.method == "get_schema":
                    result = schema if request.params == ["Tree"] else None
                    error = None if result else {"error": "unknown database"}
                elif request.method == "monitor_cond_since":
                    self.asked = request.params[3]
                    result = [False, _id(1), {}]
                self.receive(None, None, request.id, result, error)

    def receive(self, *message):
        self.relay.receive(jsonrpc.Message(*message), 0, WALL)

    def update(self, number, table_updates):
        params = [["monid", "Tree"], _id(number), table_updates]
        self.receive("update3", params)


def _id(number):
    return f"00000000-0000-0000-0000-{number:012}"


def _row(number):
    return {"insert": {"name": f"row {number}", "number": number}}


def test_clients_resume_where_they_were():
    played = Played()
    client = Client(played.node)
    reply = client.call("monitor_cond_since", "Tree", "a", LEAF_MONITOR, ZERO)
    assert reply == [False, _id(1), {}]
    played.update(2, {"Root": {_id(100): _row(1)}})
    played.update(3, {"Root": {_id(101): _row(2)}})
    (update,) = client.receive()
    assert update["params"][1] == _id(3)
    assert set(update["params"][2]["Root"]) == {_id(100), _id(101)}
    found, last, rows = client.call(
        "monitor_cond_since", "Tree", "b", LEAF_MONITOR, _id(2)
    )
    assert (found, last) == (True, _id(3))
    assert rows == {"Root": {_id(101): _row(2)}}
    condition = {"Root": [{"columns": ["name"], "where": [["number", "==", 1]]}]}
    assert client.call("monitor_cond_since", "Tree", "c", condition, _id(1)) == [
        True,
        _id(3),
        {"Root": {_id(100): {"insert": {"name": "row 1"}}}},
    ]
    found, _, rows = client.call(
        "monitor_cond_since", "Tree", "d", LEAF_MONITOR, _id(77)
    )
    assert not found
    assert set(rows["Root"]) == {_id(100), _id(101)}


def test_the_relay_itself_resumes_after_the_last_transaction():
    played = Played()
    played.update(2, {"Root": {_id(100): _row(1)}})
    played.relay.disconnected(0)
    played.relay.connected("x", 0)
    played.answer_all()
    assert played.asked == _id(2)


def test_an_update_that_does_not_fit_makes_it_begin_anew():
    played = Played()
    played.update(2, {"Root": {_id(100): {"modify": {"number": 2}}}})
    assert played.relay.wants_reconnect
    played.relay.connected("x", 0)
    played.answer_all()
    assert played.asked == ZERO


@pytest.mark.parametrize(
    "updates",
    [
        [],
        {"Nope": {}},
        {"Root": []},
        {"Root": {"x": {}}},
        {"Root": {_id(100): []}},
        {"Root": {_id(100): {}}},
        {"Root": {_id(100): {"what": {}}}},
        {"Root": {_id(100): {"insert": 1}}},
        {"Root": {_id(100): {"insert": {"number": "x"}}}},
        {"Root": {_id(100): {"insert": {"nope": 1}}}},
        {"Root": {_id(100): {"delete": None}}},
    ],
)
def test_nonsense_from_the_source_changes_nothing(updates):
    played = Played()
    played.update(2, updates)
    assert played.relay.wants_reconnect
    assert played.node.contents() == {"Root": {}, "Leaf": {}}


def test_the_history_is_bounded():
    played = Played()
    history = played.node.server.databases["Tree"].history
    assert isinstance(history, History)
    for number in range(2, 2 * MAX_TRANSACTIONS):
        played.update(number, {"Root": {}})
    assert len(history) == MAX_TRANSACTIONS
    played.update(900, {"Root": {_id(100): _row(1)}})
    for number in range(901, 910):  # each holds more atoms than the database
        change = {"modify": {"number": number}}
        played.update(number, {"Root": {_id(100): change}})
    assert len(history) == 1
    assert history.last_id == _id(909)


def test_what_is_canceled_without_a_connection_is_forgotten(source, node):
    node.link.cut()
    client = Client(node)
    client.send("transact", "Tree", insert("Root", name="kept", number=9), request_id=0)
    for number in range(1, 1000):
        client.send("transact", "Tree", insert("Root", name="x"), request_id=number)
        client.send("cancel", number, request_id=None)
    assert len(node.relay._new) <= 103
    node.sync()
    (reply,) = client.receive()
    assert reply["id"] == 0
    assert len(source.tree.tables["Root"].rows) == 2
