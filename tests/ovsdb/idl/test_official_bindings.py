# SPDX-License-Identifier: Apache-2.0
"""The official bindings' IDL follows and changes our server's database."""

import pytest
from helpers.programs import Ours, RunDir

import ovswitch.ovsdb

SCHEMA = f"{ovswitch.ovsdb.__path__[0]}/vswitch.ovsschema"

ovs_idl = pytest.importorskip("ovs.db.idl")
ovs_poller = pytest.importorskip("ovs.poller")


@pytest.fixture(scope="module")
def remote():
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Ours)
        yield f"unix:{rundir.path}/db.sock"


@pytest.fixture
def idl(remote):
    helper = ovs_idl.SchemaHelper(SCHEMA)
    helper.register_all()
    idl = ovs_idl.Idl(remote, helper)
    until(idl, idl.has_ever_connected)
    yield idl
    idl.close()


def until(idl, condition):
    while True:
        idl.run()
        if condition():
            return
        poller = ovs_poller.Poller()
        idl.wait(poller)
        poller.block()


def commit(txn):
    assert txn.commit_block() == txn.SUCCESS, txn.get_error()


def root(idl):
    rows = list(idl.tables["Open_vSwitch"].rows.values())
    if rows:
        return rows[0]
    txn = ovs_idl.Transaction(idl)
    row = txn.insert(idl.tables["Open_vSwitch"])
    row.external_ids = {"created": "yes"}
    commit(txn)
    until(idl, lambda: idl.tables["Open_vSwitch"].rows)
    return root(idl)


def test_insert_update_and_references(idl):
    ovs = root(idl)
    txn = ovs_idl.Transaction(idl)
    bridge = txn.insert(idl.tables["Bridge"])
    bridge.name = "official"
    bridge.external_ids = {"a": "b"}
    ovs.verify("bridges")
    ovs.bridges = [*ovs.bridges, bridge]
    commit(txn)
    uuid = txn.get_insert_uuid(bridge.uuid)
    until(idl, lambda: uuid in idl.tables["Bridge"].rows)
    bridge = idl.tables["Bridge"].rows[uuid]
    assert bridge in ovs.bridges
    assert bridge.external_ids == {"a": "b"}


def test_partial_updates_and_increment(idl):
    ovs = root(idl)
    before = ovs.next_cfg
    txn = ovs_idl.Transaction(idl)
    ovs.setkey("external_ids", "k", "v")
    ovs.increment("next_cfg")
    txn.add_comment("from the official bindings")
    commit(txn)
    assert txn.get_increment_new_value() == before + 1
    until(idl, lambda: ovs.external_ids.get("k") == "v")
    txn = ovs_idl.Transaction(idl)
    ovs.delkey("external_ids", "k")
    commit(txn)
    until(idl, lambda: "k" not in ovs.external_ids)


def test_conditions(idl):
    ovs = root(idl)
    txn = ovs_idl.Transaction(idl)
    bridges = []
    for name in ("one", "two"):
        bridge = txn.insert(idl.tables["Bridge"])
        bridge.name = name
        bridges.append(bridge)
    ovs.bridges = [*ovs.bridges, *bridges]
    commit(txn)
    table = idl.tables["Bridge"]
    idl.cond_change("Bridge", [["name", "==", "two"]])
    until(idl, lambda: [row.name for row in table.rows.values()] == ["two"])


def test_lock(idl):
    idl.set_lock("official")
    until(idl, lambda: idl.has_lock)
    txn = ovs_idl.Transaction(idl)
    root(idl).external_ids = {"locked": "yes"}
    commit(txn)


def test_server_error(idl):
    ovs = root(idl)
    txn = ovs_idl.Transaction(idl)
    twins = [txn.insert(idl.tables["Bridge"]) for _ in range(2)]
    for bridge in twins:
        bridge.name = "twin"
    ovs.bridges = twins
    assert txn.commit_block() == txn.ERROR
    assert "identical values" in txn.get_error()
