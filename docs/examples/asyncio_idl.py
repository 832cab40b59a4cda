# SPDX-License-Identifier: Apache-2.0
"""Watch bridges and set a column, with asyncio: python asyncio_idl.py REMOTE SCHEMA."""

import asyncio
import sys

from ovswitch.ovsdb.aio_idl import AioIdl, AioTransaction
from ovswitch.ovsdb.idl import SchemaHelper
from ovswitch.ovsdb.idl_index import RowLike


async def watch(idl: AioIdl) -> None:
    """Print what happens to bridges, until cancelled."""
    table = idl.tables["Bridge"]
    table.track = True
    while True:
        await idl.wait_change()
        for row in table.inserted:
            print("new", row.name, row.external_ids)
        for row, columns in table.modified.items():
            print("changed", row.name, sorted(columns), row.external_ids)
        for row in table.deleted:
            print("gone", row.name)
        idl.clear_tracked()


async def main(remote: str, schema: str) -> None:
    """Watch a bridge come, change and go."""
    helper = SchemaHelper(schema)
    helper.register_columns("Open_vSwitch", ["bridges"])
    helper.register_columns("Bridge", ["name", "external_ids"])

    def add(txn: AioTransaction) -> None:
        bridge = txn.insert(idl.tables["Bridge"])
        bridge.name = "br-aio"
        root = idl.tables["Open_vSwitch"].first()
        assert root is not None
        root.addvalue("bridges", bridge)

    def count(txn: AioTransaction) -> int:
        """Add 1 to a number that others may be changing, too."""
        (bridge,) = idl.index_equal("Bridge", "by_name", wanted)
        bridge.verify("external_ids")  # or commit fails and this is called again
        number = int(bridge.external_ids.get("count", "0")) + 1
        bridge.setkey("external_ids", "count", str(number))
        return number

    def remove(_txn: AioTransaction) -> None:
        root = idl.tables["Open_vSwitch"].first()
        assert root is not None
        for bridge in idl.index_equal("Bridge", "by_name", wanted):
            root.delvalue("bridges", bridge)

    async with AioIdl(remote, helper) as idl, asyncio.TaskGroup() as tasks:
        idl.index_create("Bridge", "by_name").add_column("name")
        wanted = RowLike(name="br-aio")
        watcher = tasks.create_task(watch(idl))
        await idl.transact(add)
        print("counted to", await idl.transact(count))
        print("counted to", await asyncio.wait_for(idl.transact(count), timeout=5))
        await idl.transact(remove)
        while list(idl.index_equal("Bridge", "by_name", wanted)):
            await idl.wait_change()
        await asyncio.sleep(0)
        watcher.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
