# SPDX-License-Identifier: Apache-2.0
"""A standalone database's file, read whole by a program that has no server.

What can't be read is an error here. A server forgives more: see `storage`.

Source: ovsdb/file.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.schema import Schema


def read_database(
    name: str, *, writable: bool = False, schema: Schema | None = None
) -> Database:
    """Return the database in a file; its `storage` is the file, open.

    `schema` replaces the file's own. A transaction that breaks a constraint ends the
    database: it and what follows will be overwritten.
    Raises: OvsdbError: the file, or a record of it, can't be read.
    """
    file = storage.open_storage(name, writable=writable)
    database, error = storage.load(file, schema)
    if error is not None:
        raise error
    return database
