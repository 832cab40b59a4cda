# SPDX-License-Identifier: Apache-2.0
"""Transactions of the asyncio IDL: tried again, cancelled, shared."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from helpers.programs import SCHEMA, Ours, RunDir

from ovswitch.ovsdb.aio_idl import AioIdl, AioTransaction, TransactionError
from ovswitch.ovsdb.idl import SchemaHelper
from ovswitch.runtime import loop


@pytest.fixture(scope="module")
def remote():
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Ours)
        remote = f"unix:{rundir.path}/db.sock"
        vsctl = [Ours.path("ovs-vsctl"), f"--db={remote}", "--no-wait", "init"]
        rundir.run(vsctl, check=True)
        yield remote


def run(body, *arguments):
    async def bounded():
        await asyncio.wait_for(body(*arguments), 20)

    with asyncio.Runner(loop_factory=loop.Loop) as runner:
        runner.run(bounded())


def made(remote, readonly=()):
    helper = SchemaHelper(str(SCHEMA))
    columns = ["external_ids", "next_cfg", "db_version"]
    helper.register_columns("Open_vSwitch", columns, list(readonly))
    return AioIdl(remote, helper)


@asynccontextmanager
async def opened(remote, **options):
    async with made(remote, **options) as idl:
        yield idl, idl.tables["Open_vSwitch"].first()


def test_transact_tries_again_when_others_are_faster(remote):
    async def count(idl, row, times):
        calls = 0

        def build(_txn):
            nonlocal calls
            calls += 1
            row.verify("external_ids")
            number = int(row.external_ids.get("n", "0"))
            row.setkey("external_ids", "n", str(number + 1))
            return number + 1

        results = [await idl.transact(build) for _ in range(times)]
        assert calls >= times
        return results

    async def body():
        async with opened(remote) as (one, row1), opened(remote) as (two, row2):
            results = await asyncio.gather(count(one, row1, 15), count(two, row2, 15))
            assert sorted([*results[0], *results[1]]) == list(range(1, 31))

    run(body)


def test_transact_fails_for_good_with_the_server_s_words(remote):
    async def body():
        async with opened(remote) as (idl, row):

            def build(_txn):
                row.next_cfg = "x"

            with pytest.raises(TransactionError, match="expected integer") as caught:
                await idl.transact(build)
            assert caught.value.status == "error"
            assert idl.txn is None

            def broken(_txn):
                row.next_cfg = 5
                raise LookupError

            with pytest.raises(LookupError):
                await idl.transact(broken)
            assert idl.txn is None
            assert row.next_cfg == 0

    run(body)


def test_whoever_waits_may_be_cancelled(remote):
    async def body():
        async with opened(remote) as (idl, row):
            txn = AioTransaction(idl)
            row.setkey("external_ids", "cancelled", "yes")
            outcome = txn.commit()
            outcome.cancel()
            while "cancelled" not in row.external_ids:
                await idl.wait_change()
            waiting = asyncio.ensure_future(idl.wait_change())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(idl.wait_change(), 0.01)
            assert await idl.transact(lambda _txn: 7) == 7

    run(body)


def test_several_wait_for_one_change(remote):
    async def body():
        async with opened(remote) as (idl, row), opened(remote) as (other, theirs):
            seqno = idl.change_seqno
            waiting = [asyncio.ensure_future(idl.wait_change()) for _ in range(3)]
            await asyncio.sleep(0)
            await other.transact(lambda _: theirs.setkey("external_ids", "w", "x"))
            assert len(set(await asyncio.gather(*waiting))) == 1
            assert row.external_ids["w"] == "x"
            assert await idl.wait_change(seqno) != seqno  # at once
            assert idl.session_name() == remote

    run(body)


def test_column_that_is_not_followed_can_be_fetched(remote):
    async def body():
        async with opened(remote, readonly=["db_version"]) as (idl, row):
            async with opened(remote) as (other, theirs):

                def write(_txn):
                    theirs.db_version = "1.2.3"

                await other.transact(write)
            assert row.db_version == []
            await idl.transact(lambda _txn: row.fetch("db_version"))
            assert row.db_version == ["1.2.3"]

    run(body)


def test_connecting_may_be_cancelled(tmp_path):
    async def body():
        idl = made(f"unix:{tmp_path}/none")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(idl.__aenter__(), 0.05)
        assert not idl.has_ever_connected()

    run(body)
