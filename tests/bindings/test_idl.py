# SPDX-License-Identifier: Apache-2.0
"""What the compared programs don't show: restarts, other databases, odd uses."""

import uuid

import pytest
from helpers.programs import SCHEMA, Ours, RunDir, wait_until

from ovswitch.bindings.db import data, error, idl
from ovswitch.bindings.poller import Poller

COLUMNS = {
    "Open_vSwitch": ["external_ids", "bridges"],
    "Bridge": ["name", "ports", "external_ids"],
}


class Client(idl.Idl):
    def __init__(self, remote, **options):
        helper = idl.SchemaHelper(str(SCHEMA))
        for table, columns in COLUMNS.items():
            helper.register_columns(table, columns)
        self.heard = []
        super().__init__(remote, helper, **options)

    def notify(self, event, row, updates=None):
        self.heard.append((event, row._table.name))

    def until(self, condition):
        def step():
            if condition():
                return True
            waiter = Poller()
            self.wait(waiter)
            waiter.timer_wait(100)
            waiter.block()
            self.run()
            return condition()

        wait_until(step)

    @property
    def root(self):
        return next(iter(self.tables["Open_vSwitch"].rows.values()))

    def add_bridge(self, name):
        txn = idl.Transaction(self)
        bridge = txn.insert(self.tables["Bridge"])
        bridge.name = name
        self.root.addvalue("bridges", bridge)
        assert txn.commit_block() == txn.SUCCESS, txn.get_error()
        number = txn.get_insert_uuid(bridge.uuid)
        self.until(lambda: number in self.tables["Bridge"].rows)
        return self.tables["Bridge"].rows[number]


@pytest.fixture(scope="module")
def server():
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Ours)
        remote = f"unix:{rundir.path}/db.sock"
        vsctl = [Ours.path("ovs-vsctl"), f"--db={remote}", "--no-wait", "init"]
        rundir.run(vsctl, check=True)
        rundir.remote = remote
        yield rundir


@pytest.fixture
def client(server):
    client = Client(server.remote)
    client.until(client.has_ever_connected)
    yield client
    client.close()


def test_rows_and_indexes_survive_a_new_connection_from_nothing(client):
    index = client.index_create("Bridge", "by_name")
    index.add_column("name")
    client.add_bridge("kept")
    client.heard.clear()
    client.core.cs.last_id = "00000000-0000-0000-0000-000000000000"
    seqno = client.change_seqno
    client.force_reconnect()
    client.until(lambda: client.change_seqno != seqno and client.root)
    entry = client.tables["Bridge"].rows.IndexEntry(name="kept")
    (row,) = client.index_equal("Bridge", "by_name", entry)
    assert row in client.root.bridges
    assert ("create", "Bridge") in client.heard
    assert {event for event, _ in client.heard} == {"create"}


def test_reference_to_a_table_that_is_not_followed(client):
    bridge = client.add_bridge("dangling")
    bridge._core._data["ports"] = (str(uuid.uuid4()),)
    with pytest.raises(AttributeError, match="Table Port is not registered"):
        _ = bridge.ports


def test_insides_that_programs_look_at(client):
    bridge = client.add_bridge("inside")
    assert bridge._data["name"].as_scalar() == "inside"
    assert sorted(bridge._data) == ["external_ids", "name", "ports"]
    assert bridge._data.get("none") is None
    assert bridge._changes == {}
    assert bridge._idl is client
    txn = idl.Transaction(client)
    bridge.external_ids = {"a": "b"}
    assert bridge._changes["external_ids"].to_json() == ["map", [["a", "b"]]]
    bridge.delete()
    assert bridge._changes is None
    new = txn.insert(client.tables["Bridge"])
    assert new._data is None
    txn.abort()
    assert bridge._changes == {}
    assert bridge.external_ids == {}
    assert client.state == idl.Idl.IDL_S_MONITORING
    client._session.reconnect.set_probe_interval(60_000)
    assert client._session.reconnect.get_probe_interval() == 60_000
    row = idl.Row.from_json(client, client.tables["Bridge"], bridge.uuid, {"name": "x"})
    assert row.name == "x"
    assert not hasattr(row, "ports")
    assert row == bridge
    assert len({row, bridge}) == 1
    with pytest.raises(AttributeError):
        _ = bridge.nosuch


def test_column_without_alert_is_written_only_if_it_changes(client):
    bridge = client.add_bridge("alert")
    column = client.tables["Bridge"].columns["external_ids"]
    assert column.alert
    column.alert = False
    txn = idl.Transaction(client)
    bridge.external_ids = {}
    assert txn.commit() == txn.UNCHANGED
    assert column.type.is_map()
    assert isinstance(data.Datum.default(column.type), data.Datum)


def test_unknown_tables_and_columns_are_refused(client):
    with pytest.raises(error.Error, match='Unknown table "None"'):
        client.cond_change("None", [])
    with pytest.raises(AssertionError):
        client.tables["Bridge"].condition = True
    helper = idl.SchemaHelper(str(SCHEMA))
    helper.register_columns("Bridge", ["nosuch"])
    with pytest.raises(AssertionError):
        helper.get_idl_schema()
    with pytest.raises(ValueError, match="both"):
        idl.SchemaHelper("x", {"name": "y"})


def test_server_without_the_database_is_left(server, tmp_path):
    remotes = f"unix:{tmp_path}/none,{server.remote}"
    client = Client(remotes)
    client.until(client.has_ever_connected)
    assert client.session_name() == server.remote
    client.close()
    helper = idl.SchemaHelper(
        None, {"name": "Other", "tables": {"T": {"columns": {"a": {"type": "real"}}}}}
    )
    helper.register_all()
    other = idl.Idl(server.remote, helper)
    for _ in range(20):
        waiter = Poller()
        other.wait(waiter)
        waiter.timer_wait(10)
        waiter.block()
        other.run()
    assert not other.has_ever_connected()
    txn = idl.Transaction(other)
    txn.insert(other.tables["T"]).a = 1.5
    assert txn.commit_block() == txn.TRY_AGAIN
    other.close()


def test_transaction_is_lost_with_the_connection(client):
    txn = idl.Transaction(client)
    client.root.setkey("external_ids", "lost", "perhaps")
    assert txn.commit() == txn.INCOMPLETE
    client.force_reconnect()
    client.until(lambda: txn.commit() != txn.INCOMPLETE)
    assert txn.commit() in (txn.TRY_AGAIN, txn.SUCCESS)
    client.until(lambda: client.state == client.IDL_S_MONITORING)
    txn = idl.Transaction(client)
    client.root.setkey("external_ids", "found", "yes")
    assert txn.commit_block() == txn.SUCCESS
    assert client.root.external_ids["found"] == "yes"
