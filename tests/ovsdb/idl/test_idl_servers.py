# SPDX-License-Identifier: Apache-2.0
"""The synchronous and the asyncio IDL on servers of both implementations."""

import asyncio

import pytest
from helpers.programs import Ours, Reference, RunDir

import ovswitch.ovsdb
from ovswitch.ovsdb.aio_idl import AioIdl, AioTransaction
from ovswitch.ovsdb.idl import Idl, SchemaHelper, Transaction
from ovswitch.ovsdb.idl_index import RowLike
from ovswitch.runtime import json, loop

SCHEMA = f"{ovswitch.ovsdb.__path__[0]}/vswitch.ovsschema"
IMPLEMENTATIONS = [
    pytest.param(Ours, id="ours"),
    pytest.param(Reference, id="reference", marks=pytest.mark.reference),
]


@pytest.fixture(scope="module", params=IMPLEMENTATIONS)
def server(request):
    with RunDir() as rundir:
        rundir.start_ovsdb_server(request.param)
        yield rundir


@pytest.fixture
def remote(server):
    remote = f"unix:{server.path}/db.sock"
    with opened(remote, Open_vSwitch=[], QoS=[], Queue=[]) as idl:
        for name in ("Open_vSwitch", "QoS", "Queue"):
            txn = Transaction(idl)
            for row in list(idl.tables[name].rows.values()):
                row.delete()
            assert txn.commit_block() in (txn.SUCCESS, txn.UNCHANGED)
    return remote


class opened:  # noqa: N801  reads as a function
    """A connected Idl that follows some columns; all of them without any."""

    def __init__(self, remote, **tables):
        helper = SchemaHelper(SCHEMA)
        for name, columns in tables.items():
            helper.register_columns(name, columns)
        if not tables:
            helper.register_all()
        self._idl = Idl(remote, helper, retry=False)

    def __enter__(self):
        assert self._idl.wait_until_connected()
        return self._idl

    def __exit__(self, *_):
        self._idl.close()


def add_bridge(idl, name):
    txn = Transaction(idl)
    roots = list(idl.tables["Open_vSwitch"].rows.values())
    root = roots[0] if roots else txn.insert(idl.tables["Open_vSwitch"])
    bridge = txn.insert(idl.tables["Bridge"])
    bridge.name = name
    root.bridges = [*root.bridges, bridge]
    assert txn.commit_block() == txn.SUCCESS, txn.get_error()
    return txn.get_insert_uuid(bridge.uuid)


def test_committed_rows_are_there_with_their_permanent_uuids(remote):
    with opened(remote) as idl:
        uuid = add_bridge(idl, "br0")
        bridge = idl.tables["Bridge"].rows[uuid]
        assert bridge.name == "br0"
        (root,) = idl.tables["Open_vSwitch"].rows.values()
        assert root.bridges == [bridge]


def test_all_kinds_of_values_survive(remote):
    with opened(remote) as idl:
        uuid = add_bridge(idl, "br0")
        txn = Transaction(idl)
        bridge = idl.tables["Bridge"].rows[uuid]
        bridge.external_ids = {"é": '"quoted"', "b": "x\ny"}
        bridge.flood_vlans = [3, 1, 2]
        bridge.stp_enable = True
        bridge.fail_mode = "secure"
        bridge.protocols = {"OpenFlow13", "OpenFlow10"}
        assert txn.commit_block() == txn.SUCCESS
        for _ in range(2):
            assert bridge.external_ids == {"é": '"quoted"', "b": "x\ny"}
            assert bridge.flood_vlans == [1, 2, 3]
            assert bridge.stp_enable is True
            assert bridge.fail_mode == ["secure"]
            assert bridge.protocols == ["OpenFlow10", "OpenFlow13"]
            with opened(remote) as other:
                bridge = other.tables["Bridge"].rows[uuid]
                assert bridge.fail_mode == ["secure"]


def test_conflict_with_verified_column_means_try_again(remote):
    with opened(remote) as first, opened(remote) as second:
        uuid = add_bridge(first, "br0")
        while uuid not in second.tables["Bridge"].rows:
            second.wait()
        txns = []
        for idl in (first, second):
            txn = Transaction(idl)
            row = idl.tables["Bridge"].rows[uuid]
            row.verify("external_ids")
            row.external_ids = row.external_ids | {f"key{len(txns)}": "x"}
            txns.append(txn)
        assert txns[0].commit_block() == Transaction.SUCCESS
        assert txns[1].commit_block() == Transaction.TRY_AGAIN


def test_partial_updates_do_not_conflict(remote):
    with opened(remote) as first, opened(remote) as second:
        uuid = add_bridge(first, "br0")
        while uuid not in second.tables["Bridge"].rows:
            second.wait()
        for idl, key in ((first, "a"), (second, "b")):
            txn = Transaction(idl)
            idl.tables["Bridge"].rows[uuid].setkey("external_ids", key, "1")
            idl.tables["Bridge"].rows[uuid].addvalue("flood_vlans", ord(key))
            assert txn.commit_block() == txn.SUCCESS
        row = second.tables["Bridge"].rows[uuid]
        assert row.external_ids == {"a": "1", "b": "1"}
        assert row.flood_vlans == [97, 98]


def test_server_error_is_reported(remote):
    with opened(remote) as idl:
        uuid = add_bridge(idl, "br0")
        txn = Transaction(idl)
        idl.tables["Bridge"].rows[uuid].fail_mode = "bogus"
        assert txn.commit_block() == txn.ERROR
        assert json.from_string(txn.get_error())["error"] == "constraint violation"
        assert idl.tables["Bridge"].rows[uuid].fail_mode == []


def test_increment_returns_the_new_value(remote):
    with opened(remote) as idl:
        add_bridge(idl, "br0")
        (root,) = idl.tables["Open_vSwitch"].rows.values()
        for expected in (1, 2):
            txn = Transaction(idl)
            root.increment("next_cfg")
            assert txn.commit_block() == txn.SUCCESS
            assert txn.get_increment_new_value() == expected == root.next_cfg


def test_conditions_select_rows(remote):
    with opened(remote) as idl, opened(remote) as other:
        uuids = [add_bridge(other, name) for name in ("br0", "br1")]
        seqno = idl.cond_change("Bridge", [["name", "==", "br1"]])
        while idl.cond_seqno != seqno:
            idl.wait()
        assert list(idl.tables["Bridge"].rows) == [uuids[1]]
        seqno = idl.cond_change("Bridge", [True])
        while idl.cond_seqno != seqno:
            idl.wait()
        assert set(idl.tables["Bridge"].rows) == set(uuids)


def test_lock_is_held_by_one(remote):
    with opened(remote) as first, opened(remote) as second:
        add_bridge(first, "br0")
        first.set_lock("ovs_vswitchd")
        while not first.has_lock:
            first.wait()
        second.set_lock("ovs_vswitchd")
        while not second.is_lock_contended:
            second.wait()
        txn = Transaction(second)
        assert txn.commit_block() == txn.NOT_LOCKED
        add_bridge(first, "br1")
        first.set_lock(None)
        while not second.has_lock:
            second.wait()


def test_only_registered_columns_are_followed(remote):
    with opened(remote) as idl:
        uuid = add_bridge(idl, "br0")
    with opened(remote, Bridge=["name"]) as idl:
        row = idl.tables["Bridge"].rows[uuid]
        assert row._data.keys() == {"name"}
        assert idl.tables.keys() == {"Bridge"}


def test_indexes_find_rows(remote):
    with opened(remote) as idl:
        for name in ("c", "a", "b"):
            add_bridge(idl, name)
        index = idl.index_create("Bridge", "by_name")
        index.add_column("name")
        found = idl.index_irange("Bridge", "by_name", RowLike(name="a"), None)
        assert [row.name for row in found] == ["a", "b", "c"]
        (row,) = idl.index_equal("Bridge", "by_name", RowLike(name="b"))
        assert row.name == "b"
        add_bridge(idl, "d")
        found = idl.index_irange("Bridge", "by_name", None, RowLike(name="b"))
        assert [row.name for row in found] == ["a", "b"]
        descending = idl.index_create("Bridge", "down")
        descending.add_column("name", "DESC")
        assert [row.name for row in descending.irange()] == ["d", "c", "b", "a"]


def test_missing_server_is_an_error_without_retry(tmp_path):
    helper = SchemaHelper(SCHEMA)
    idl = Idl(f"unix:{tmp_path}/no.sock", helper, retry=False)
    assert not idl.wait_until_connected()
    assert idl.last_error == 2


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_server_without_conditional_monitoring_is_followed(implementation):
    with RunDir() as rundir:
        rundir.start_ovsdb_server(implementation)
        command = ["-t", "ovsdb-server", "ovsdb-server/disable-monitor-cond"]
        rundir.appctl(*command, check=True)
        helper = SchemaHelper(SCHEMA)
        helper.register_columns("Open_vSwitch", ["next_cfg"])
        for eager in (False, True):
            idl = Idl(f"unix:{rundir.path}/db.sock", helper, eager=eager)
            assert idl.wait_until_connected()
            assert idl.core.cs.monitor_version == 1
            txn = Transaction(idl)
            root = idl.tables["Open_vSwitch"].first()
            root = root or txn.insert(idl.tables["Open_vSwitch"])
            root.next_cfg = 5 + eager
            assert txn.commit_block() == txn.SUCCESS
            while not idl.tables["Open_vSwitch"].rows:
                idl.wait()
            assert idl.tables["Open_vSwitch"].first().next_cfg == 5 + eager
            idl.close()


def run(body):
    with asyncio.Runner(loop_factory=loop.Loop) as runner:
        runner.run(body())


async def opened_aio(remote, lock=None):
    helper = SchemaHelper(SCHEMA)
    helper.register_all()
    idl = AioIdl(remote, helper)
    idl.set_lock(lock)
    await idl.connect()
    return idl


def test_aio_idl_follows_and_commits(remote):
    async def body():
        idl = await opened_aio(remote, "lock")
        while not idl.has_lock:
            idl.changed.clear()
            await idl.changed.wait()
        txn = AioTransaction(idl)
        root = txn.insert(idl.tables["Open_vSwitch"])
        root.external_ids = {"a": "b"}
        first = txn.commit()
        assert await first == "success"
        uuid = txn.get_insert_uuid(root.uuid)
        row = idl.tables["Open_vSwitch"].rows[uuid]
        table = idl.tables["Open_vSwitch"]
        table.track = True
        idl.clear_tracked()
        idl.changed.clear()
        with opened(remote) as other:
            txn = Transaction(other)
            other.tables["Open_vSwitch"].rows[uuid].external_ids = {"c": "d"}
            assert txn.commit_block() == txn.SUCCESS
        await asyncio.wait_for(idl.changed.wait(), 5)
        assert table.modified == {row: {"external_ids"}}
        await idl.close()

    run(body)


def test_aio_commits_overlap(remote):
    async def body():
        idl = await opened_aio(remote)
        txn = AioTransaction(idl)
        root = txn.insert(idl.tables["Open_vSwitch"])
        assert await txn.commit() == "success"
        row = idl.tables["Open_vSwitch"].rows[txn.get_insert_uuid(root.uuid)]
        futures = []
        for number in range(20):
            txn = AioTransaction(idl)
            row.setkey("external_ids", str(number), "x")
            futures.append(txn.commit())
        assert set(await asyncio.gather(*futures)) == {"success"}
        assert len(row.external_ids) == 20
        txn = AioTransaction(idl)
        assert await txn.commit() == "unchanged"
        txn = AioTransaction(idl)
        txn.abort()
        assert await txn.commit() == "aborted"
        await idl.close()

    run(body)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_aio_idl_survives_a_restart_of_the_server(implementation):
    with RunDir() as rundir:
        rundir.start_ovsdb_server(implementation)

        async def body():
            idl = await opened_aio(f"unix:{rundir.path}/db.sock")
            txn = AioTransaction(idl)
            root = txn.insert(idl.tables["Open_vSwitch"])
            assert await txn.commit() == "success"
            uuid = txn.get_insert_uuid(root.uuid)
            row = idl.tables["Open_vSwitch"].rows[uuid]
            idl.tables["Open_vSwitch"].track = True
            await asyncio.to_thread(
                rundir.appctl, "-t", "ovsdb-server", "exit", check=True
            )
            while idl.is_connected:
                idl.changed.clear()
                await asyncio.wait_for(idl.changed.wait(), 5)
            txn = AioTransaction(idl)
            row.external_ids = {"x": "y"}
            assert await txn.commit() == "try again"
            seqno = idl.change_seqno
            await asyncio.to_thread(rundir.start_ovsdb_server, implementation)
            while idl.change_seqno == seqno:
                idl.changed.clear()
                await asyncio.wait_for(idl.changed.wait(), 15)
            assert idl.tables["Open_vSwitch"].rows[uuid] is row
            assert not idl.tables["Open_vSwitch"].modified
            txn = AioTransaction(idl)
            row.external_ids = {"x": "y"}
            assert await txn.commit() == "success"
            await idl.close()

        run(body)
