# SPDX-License-Identifier: Apache-2.0
"""Active-backup replication: what a backup makes of an active server."""

import copy

import pytest
from tree_schema import TREE, insert
from upstream_bench import WALL, Client, Link, Node

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.server import replication
from ovswitch.ovsdb.server.replication import Excluded, Replication
from ovswitch.runtime import jsonrpc


class Backup(Node):
    """A server that is the backup of another node."""

    def __init__(self, active, excluded="", schema=TREE):
        super().__init__(schema)
        self.server.read_only = True
        self.core = Replication(
            "unix:x", Excluded(excluded), self.server.uuid, self.find
        )
        self.link = Link(self.core, active)

    def find(self, name):
        served = self.server.databases.get(name)
        return None if served is None or name == "_Server" else served.database

    def sync(self):
        if self.link.client is None:
            self.link.connect()
        else:
            self.link.pump()
        self.settle()
        return self


@pytest.fixture
def active():
    node = Node()
    Client(node).transact(
        insert("Root", name="one", number=1, leaves=["named-uuid", "a"]),
        insert("Leaf", "a", label="leaf"),
    )
    return node


def change_everything(node):
    client = Client(node)
    client.transact(insert("Root", name="two", number=2, set=["set", [1, 2]]))
    client.transact(
        {"op": "update", "table": "Root", "where": [["name", "==", "two"]],
         "row": {"ratio": 1.5, "set": ["set", [2, 3]]}},
    )  # fmt: skip
    client.transact({"op": "delete", "table": "Root", "where": [["name", "==", "one"]]})


def test_a_backup_becomes_a_copy_and_stays_one(active):
    backup = Backup(active).sync()
    assert backup.link.seen == [
        "get_server_id", "list_dbs", "get_schema", "monitor",
    ]  # fmt: skip
    assert backup.contents() == active.contents()
    change_everything(active)
    assert backup.sync().contents() == active.contents()
    assert len(backup.contents()["Root"]) == 1
    assert backup.core.status() == "replicating: unix:x\ndatabase: Tree"


def test_what_it_had_before_is_lost_and_what_it_shares_is_left_alone(active):
    backup = Backup(active)
    backup.server.read_only = False
    client = Client(backup)
    client.transact(insert("Root", name="mine", number=9))
    backup.sync()
    assert backup.contents() == active.contents()
    n_records = len(backup.tree.storage.records)
    client.call("monitor", "Tree", "m", {"Root": {}, "Leaf": {}})
    backup.link.cut()
    backup.sync()
    assert client.receive() == []
    assert len(backup.tree.storage.records) == n_records


def test_a_lost_connection_is_made_up_for(active):
    backup = Backup(active).sync()
    backup.link.cut()
    change_everything(active)
    assert backup.core.status().startswith("replicating")  # for all that it knows
    assert backup.contents() != active.contents()
    assert backup.sync().contents() == active.contents()


def test_clients_of_a_backup_see_changes_and_make_none(active):
    backup = Backup(active).sync()
    client = Client(backup)
    client.call("monitor", "Tree", "m", {"Root": {"columns": ["name"]}})
    assert client.transact(insert("Root", name="x")) == [
        {
            "error": "not allowed",
            "details": "insert operation not allowed when database server is in read "
            "only mode",
        }
    ]
    change_everything(active)
    backup.sync()
    (update,) = client.receive()
    assert len(update["params"][1]["Root"]) == 2


def test_excluded_tables_are_neither_asked_for_nor_touched(active):
    backup = Backup(active, "Tree:Leaf")
    backup.server.read_only = False
    Client(active).transact(
        {"op": "update", "table": "Root", "where": [], "row": {"leaves": ["set", []]}}
    )
    mine = {"op": "insert", "table": "Leaf", "uuid-name": "l", "row": {"label": "mine"}}
    Client(backup).transact(mine, insert("Root", name="x", leaves=["named-uuid", "l"]))
    backup.sync()
    assert backup.contents()["Root"] == active.contents()["Root"]
    assert backup.core.status().endswith("database: Tree\nexclude: Tree:Leaf")


def test_a_server_does_not_replicate_itself():
    node = Backup(None)
    node.link = Link(node.core, node)
    node.sync()
    assert node.core.has_failed
    assert node.core.status() == "Replication to (unix:x) failed\n"


def variant(change):
    schema = copy.deepcopy(TREE)
    change(schema)
    return schema


def drop_table(schema):
    root = schema["tables"].pop("Leaf") and schema["tables"]["Root"]
    for name in ("leaves", "friends", "named"):
        del root["columns"][name]


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        (lambda s: s.update(version="9.9.9"), True),
        (lambda s: s["tables"].update(New={"columns": {"a": {"type": "real"}}}), True),
        (lambda s: s["tables"]["Root"]["columns"].update(new={"type": "real"}), True),
        (lambda s: s["tables"]["Root"]["columns"].pop("maybe"), False),
        (lambda s: s["tables"]["Root"]["columns"].update(flag={"type": "real"}), False),
        (drop_table, False),
    ],
)
def test_our_schema_must_have_all_that_theirs_has(active, change, fits):
    backup = Backup(active, schema=variant(change)).sync()
    assert backup.core.has_failed is not fits
    if fits:
        assert len(backup.contents()["Root"]) == 1
        change_everything(active)
        backup.sync()
        assert list(backup.contents()["Root"]) == list(active.contents()["Root"])


def test_a_database_that_does_not_fit_leaves_others_alone(active):
    other = {"name": "Other", "version": "1.0.0",
             "tables": {"T": {"columns": {"a": {"type": "integer"}}}}}  # fmt: skip
    active.serve(other)
    backup = Backup(active, schema=variant(drop_table))
    backup.serve(other)
    Client(active).call("transact", "Other", insert("T", a=5))
    backup.sync()
    assert backup.core.status() == "replicating: unix:x\ndatabase: Other"
    table = backup.server.databases["Other"].database.tables["T"]
    assert len(table.rows) == 1


def test_a_failed_write_ends_replication_with_everything_as_it_was(active):
    backup = Backup(active).sync()
    before = backup.contents()
    backup.tree.storage.error = OvsdbError("I/O error", "disk full")
    change_everything(active)
    backup.sync()
    assert backup.core.has_failed
    assert backup.contents() == before


# Answers that no server should give.


def converse(answers):
    """Feed a backup answers to its requests, in order; return it."""
    backup = Backup(None)
    backup.core.connected("x", 0)
    for answer in answers:
        (request,) = backup.core.take_output()
        message = jsonrpc.Message(None, None, request.id, answer)
        backup.core.receive(message, 0, WALL)
    return backup


ID = uuids.generate()


@pytest.mark.parametrize(
    "answers",
    [
        [5],
        ["x"],
        [ID, 5],
        [ID, {}],
        [ID, ["Tree"], {}],
        [ID, ["Tree"], "x"],
        [ID, ["Tree"], {"name": "Nope", "tables": {}}],
        [ID, ["Tree"], TREE, 5],
        [ID, ["Tree"], TREE, {"Nope": {}}],
        [ID, ["Tree"], TREE, {"Root": 5}],
        [ID, ["Tree"], TREE, {"Root": {"x": {}}}],
        [ID, ["Tree"], TREE, {"Root": {ID: 5}}],
        [ID, ["Tree"], TREE, {"Root": {ID: {"new": 5}}}],
        [ID, ["Tree"], TREE, {"Root": {ID: {"new": {"number": "x"}}}}],
        [ID, ["Tree"], TREE, {"Root": {ID: {"old": {}}}}],
    ],
)
def test_nonsense_ends_it_without_harm(answers):
    backup = converse(answers)
    assert backup.core.has_failed
    assert backup.contents() == {"Root": {}, "Leaf": {}}


def test_answers_to_nothing_and_unknown_notifications_are_ignored():
    backup = converse([ID, ["Tree", "Nope", 5], TREE, {}])
    assert backup.core.state == replication.REPLICATING
    for message in (
        jsonrpc.Message(None, None, 12345678, {}),
        jsonrpc.Message("update", 5),
        jsonrpc.Message("update", ["Nope", {}]),
        jsonrpc.Message("update", [{}, {}]),
        jsonrpc.Message("stolen", ["x"]),
        jsonrpc.Message("echo", [], 5),
        jsonrpc.Message(None, None, 5, None, "error"),
    ):
        backup.core.receive(message, 0, WALL)
    assert backup.core.state == replication.REPLICATING
    backup.core.receive(jsonrpc.Message("update", ["Tree", 5]), 0, WALL)
    assert backup.core.has_failed


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (None, ""),
        ("", ""),
        ("b:c,a:b a:a", "a:a,a:b,b:c"),
        ("abc", "abc:"),
        ("::x,a::b,:q:r,,z:y:x", "::x:,:q:r,a::b,z:y:x"),
    ],
)
def test_excluded_tables_are_parsed_as_the_reference_does(text, canonical):
    assert str(Excluded(text)) == canonical
