# SPDX-License-Identifier: Apache-2.0
"""Add a bridge with a port, blocking: python blocking_idl.py REMOTE SCHEMA."""

import sys

from ovswitch.ovsdb.idl import Idl, SchemaHelper, Transaction


def main(remote: str, schema: str) -> None:
    """Add the bridge."""
    helper = SchemaHelper(schema)
    helper.register_columns("Open_vSwitch", ["bridges", "next_cfg"])
    helper.register_columns("Bridge", ["name", "ports"])
    helper.register_columns("Port", ["name", "tag", "interfaces"])
    helper.register_columns("Interface", ["name", "type"])
    idl = Idl(remote, helper, retry=False)
    if not idl.wait_until_connected():
        sys.exit(f"{remote}: no database there")

    while True:
        seqno = idl.change_seqno
        txn = Transaction(idl)
        root = idl.tables["Open_vSwitch"].first() or txn.insert(
            idl.tables["Open_vSwitch"]
        )
        interface = txn.insert(idl.tables["Interface"])
        interface.name = "br-demo"
        interface.type = "internal"
        port = txn.insert(idl.tables["Port"])
        port.name = "br-demo"
        port.interfaces = [interface]
        bridge = txn.insert(idl.tables["Bridge"])
        bridge.name = "br-demo"
        bridge.ports = [port]
        root.addvalue("bridges", bridge)  # whatever others do to the set
        root.increment("next_cfg")
        txn.add_comment("blocking_idl.py")
        status = txn.commit_block()
        if status != txn.TRY_AGAIN:
            break
        while idl.change_seqno == seqno:  # somebody was faster: see what changed
            idl.wait()
    if status != txn.SUCCESS:
        sys.exit(f"not added: {txn.get_error()}")
    uuid = txn.get_insert_uuid(bridge.uuid)

    # The server's update comes with the answer.
    while uuid not in idl.tables["Bridge"].rows:
        idl.wait()
    bridge = idl.tables["Bridge"].rows[uuid]
    print(bridge.name, [port.name for port in bridge.ports])
    idl.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
