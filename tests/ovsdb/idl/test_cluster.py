# SPDX-License-Identifier: Apache-2.0
"""Clients follow a cluster of three of the reference's servers, and a relay of it."""

import asyncio
import time

import pytest
from cluster import DATABASE, Cluster
from helpers.programs import SCHEMA, Ours, Reference, wait_until

from ovswitch.bindings.db import idl as bindings
from ovswitch.bindings.poller import Poller
from ovswitch.ovsdb.aio_idl import AioIdl, AioTransaction
from ovswitch.ovsdb.idl import Idl, SchemaHelper, Transaction
from ovswitch.runtime import clock, loop, vlog

pytestmark = [pytest.mark.reference, pytest.mark.slow]

COLUMNS = ["next_cfg", "external_ids"]


@pytest.fixture(scope="module", autouse=True)
def quiet():
    levels = {name: list(module.levels) for name, module in vlog.modules.items()}
    vlog.set_levels(vlog.OFF)
    yield
    clock.reset()
    vlog.set_levels(vlog.INFO)
    for name, known in levels.items():
        vlog.modules[name].levels[:] = known
        vlog.modules[name].update_min_level()


@pytest.fixture(scope="module")
def cluster():
    with Cluster(3) as cluster:
        words = [Reference.path("ovs-vsctl"), f"--db={cluster.remotes}", "--no-wait"]
        cluster.run([*words, "init"], check=True)
        yield cluster


def helper(kind=SchemaHelper):
    made = kind(str(SCHEMA))
    made.register_columns("Open_vSwitch", COLUMNS)
    return made


class Blocking:
    """The blocking IDL."""

    def __init__(self, remotes, **options):
        self.idl = Idl(remotes, helper(), **options)
        assert self.idl.wait_until_connected()

    @property
    def row(self):
        return self.idl.tables["Open_vSwitch"].first()

    def run(self):
        self.idl.wait(50)
        self.idl.run()

    def increment(self):
        txn = Transaction(self.idl)
        self.row.increment("next_cfg")
        return txn.commit_block() == txn.SUCCESS


class DropIn:
    """The drop-in for the official bindings."""

    def __init__(self, remotes, **options):
        self.idl = bindings.Idl(remotes, helper(bindings.SchemaHelper), **options)
        wait_until(self.connected)

    def connected(self):
        self.run()
        return self.idl.has_ever_connected()

    @property
    def row(self):
        return next(iter(self.idl.tables["Open_vSwitch"].rows.values()))

    def run(self):
        self.idl.run()
        poller = Poller()
        self.idl.wait(poller)
        poller.timer_wait(50)
        poller.block()

    def increment(self):
        txn = bindings.Transaction(self.idl)
        self.row.increment("next_cfg")
        self.row.setkey("external_ids", "by", str(self.row.next_cfg))
        return txn.commit_block() == txn.SUCCESS


def follow(client, condition, timeout=20):
    deadline = time.monotonic() + timeout  # noqa: TID251  the tests' own clock
    while not condition():
        assert time.monotonic() < deadline  # noqa: TID251  as above
        clock.warp(200)  # the waits between tries to connect are long
        client.run()


def test_clients_choose_the_leader_and_follow_it(cluster):
    clients = [Blocking(cluster.remotes), DropIn(cluster.remotes)]
    leader = cluster.leader()
    for client in clients:
        assert client.idl.session_name() == cluster.remote(leader)
    known = clients[0].row.next_cfg
    cluster.stop_member(leader)
    try:
        successor = cluster.leader()
        for client in clients:
            # What was in flight or refused is simply tried again.
            follow(client, client.increment)
            assert client.idl.session_name() == cluster.remote(successor)
        for client in clients:
            follow(client, lambda row=client.row: row.next_cfg == known + 2)
    finally:
        cluster.start_member(leader)
        for client in clients:
            client.idl.close()


@pytest.mark.parametrize("implementation", [Ours, Reference])
def test_tools_find_the_leader(cluster, implementation):
    leader = cluster.leader()
    others = [n for n in (1, 2, 3) if n != leader]
    remotes = ",".join(cluster.remote(n) for n in (*others, leader))
    vsctl = [implementation.path("ovs-vsctl"), f"--db={remotes}", "--no-wait"]
    cluster.run([*vsctl, "set", "Open_vSwitch", ".", "external_ids:t=1"], check=True)
    client = [implementation.path("ovsdb-client"), "transact", remotes]
    select = (
        f'["{DATABASE}", {{"op": "select", "table": "Open_vSwitch", "where": [],'
        ' "columns": ["external_ids"]}]'
    )
    found = cluster.run([*client, select], check=True).out
    assert '["t","1"]' in found


@pytest.mark.parametrize("option", ["--leader-only", "--no-leader-only"])
def test_vsctl_and_a_follower(cluster, option):
    follower = next(n for n in (1, 2, 3) if n != cluster.leader())
    words = [f"--db={cluster.remote(follower)}", option, "--no-wait", "--timeout=5"]
    words += ["get", "Open_vSwitch", ".", "other_config"]
    results = [
        cluster.run([implementation.path("ovs-vsctl"), *words])
        for implementation in (Ours, Reference)
    ]
    assert results[0].status == results[1].status == (option == "--leader-only")
    assert results[0].out == results[1].out
    ours, theirs = (r.err.splitlines()[-1:] for r in results)
    assert ours == theirs


def test_member_that_does_not_lead_serves_only_who_says_so(cluster):
    follower = next(n for n in (1, 2, 3) if n != cluster.leader())
    remote = cluster.remote(follower)
    client = Blocking(remote, leader_only=False)
    follow(client, client.increment)
    client.idl.close()
    idl = Idl(remote, helper(), retry=False)
    assert not idl.wait_until_connected()
    idl.close()


def test_cluster_is_chosen_by_its_id(cluster):
    tool = Reference.path("ovsdb-tool")
    cid = cluster.run([tool, "db-cid", "s1.db"], check=True).out.strip()
    client = Blocking(f"cid:{cid},{cluster.remotes}")
    client.idl.close()
    other = cid[::-1].replace("-", "")
    other = f"{other[:8]}-{other[8:12]}-{other[12:16]}-{other[16:20]}-{other[20:]}"
    idl = Idl(f"cid:{other},{cluster.remotes}", helper(), retry=False)
    assert not idl.wait_until_connected()
    idl.close()


def test_client_that_knows_more_leaves_a_stale_member(cluster):
    remote = cluster.remote(cluster.leader())
    idl = Idl(remote, helper(), retry=False)
    idl.core.cs.server.min_index = 1 << 40
    assert not idl.wait_until_connected()
    idl.close()


def test_relay_serves_clients_that_need_no_leader(cluster):
    words = [Reference.path("ovsdb-server"), f"relay:{DATABASE}:{cluster.remotes}"]
    listen = [f"--remote=punix:{cluster.path}/relay", f"--unixctl={cluster.path}/r.ctl"]
    cluster.start([*words, *listen, "-vconsole:off"])
    wait_until((cluster.path / "relay").exists)
    client = Blocking(f"unix:{cluster.path}/relay", leader_only=False)
    follow(client, client.increment)
    client.idl.close()
    idl = Idl(f"unix:{cluster.path}/relay", helper(), retry=False)
    assert not idl.wait_until_connected()
    idl.close()


async def _increment(idl):
    """Add 1 to next_cfg and return the new value, however often that fails."""
    while True:
        idl.changed.clear()
        txn = AioTransaction(idl)
        idl.tables["Open_vSwitch"].first().increment("next_cfg")
        if await txn.commit() == "success":
            return txn.get_increment_new_value()
        await asyncio.wait_for(idl.changed.wait(), 20)


async def _follow_leader(cluster):
    idl = AioIdl(cluster.remotes, helper())
    await asyncio.wait_for(idl.connect(), 20)
    before = await _increment(idl)
    leader = cluster.leader()
    last_id = idl.core.cs.last_id
    await asyncio.to_thread(cluster.stop_member, leader)
    await asyncio.to_thread(cluster.leader)
    incremented = asyncio.ensure_future(_increment(idl))
    while not incremented.done():
        clock.warp(200)
        await asyncio.sleep(0.3)
    after = incremented.result()
    cluster.start_member(leader)
    assert after == before + 1
    assert idl.core.cs.last_id != last_id
    await idl.close()


def test_asyncio_client_follows_the_leader(cluster):
    with asyncio.Runner(loop_factory=loop.Loop) as runner:
        runner.run(_follow_leader(cluster))
