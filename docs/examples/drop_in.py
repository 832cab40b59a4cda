# SPDX-License-Identifier: Apache-2.0
"""A program of the official bindings, its imports changed: drop_in.py REMOTE SCHEMA."""

import sys

from ovswitch.bindings.db import idl
from ovswitch.bindings.poller import Poller


def main(remote: str, schema: str) -> None:
    """Set a key."""
    helper = idl.SchemaHelper(schema)
    helper.register_columns("Open_vSwitch", ["external_ids"])
    db = idl.Idl(remote, helper)
    while not db.has_ever_connected():
        poller = Poller()
        db.wait(poller)
        poller.block()
        db.run()
    row = next(iter(db.tables["Open_vSwitch"].rows.values()))
    txn = idl.Transaction(db)
    row.setkey("external_ids", "hello", "world")
    print(txn.commit_block())
    db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
