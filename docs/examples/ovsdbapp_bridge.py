# SPDX-License-Identifier: Apache-2.0
"""ovsdbapp on this library: python ovsdbapp_bridge.py REMOTE."""

import sys

from ovswitch import bindings

bindings.install()  # from here on "ovs" is ours

from ovsdbapp.backend.ovs_idl import connection  # noqa: E402
from ovsdbapp.schema.open_vswitch import impl_idl  # noqa: E402


def main(remote: str) -> None:
    """Show what is there."""
    idl = connection.OvsdbIdl.from_server(remote, "Open_vSwitch")
    api = impl_idl.OvsdbIdl(connection.Connection(idl, timeout=5))
    print(api.db_get("Open_vSwitch", ".", "external_ids").execute())
    print(api.list_br().execute(check_error=True))


if __name__ == "__main__":
    main(sys.argv[1])
