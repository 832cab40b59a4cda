# SPDX-License-Identifier: Apache-2.0
"""Database files of a server: opening, compacting, converting.

Source: ovsdb/ovsdb-server.c.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

from ovswitch.ovsdb import storage
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.schema_text import ordered_json
from ovswitch.ovsdb.server import wire
from ovswitch.runtime import clock, vlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.storage import Storage

_log = vlog.Module("ovsdb_server")
_file_log = vlog.Module("ovsdb_file")


class OpenFile:
    """A database that is kept in a file."""

    __slots__ = ("database", "storage")

    def __init__(self, database: Database, file: Storage) -> None:
        self.database = database
        self.storage = file
        file.rewrite = self._rewrite

    @property
    def name(self) -> str:
        """The file's name as the user gave it."""
        return self.storage.name

    def compact(
        self, wall_ms: int, comment: str = "compacting database online"
    ) -> None:
        """Rewrite the file without its history. Raises: OvsdbError."""
        self.storage.store_snapshot(
            ordered_json(self.database.schema), self.database.snapshot(wall_ms, comment)
        )

    def _rewrite(self) -> None:
        self.compact(clock.wall(), "rewritten after a failed fsync")

    def convert(self, schema_json: object, wall_ms: int) -> Database:
        """Put the database under another schema; return the new database.

        Raises: OvsdbError: nothing has changed.
        """
        schema = Schema.from_json(schema_json)
        if schema.name != self.database.name:
            raise OvsdbError(
                "invalid parameters",
                f"new schema name ({schema.name}) does not match database name "
                f"({self.database.name})",
            )
        new = self.database.converted(schema)
        data = new.snapshot(wall_ms, "converted by ovsdb-server")
        self.storage.store_snapshot(schema_json, data)
        new.storage = self.storage
        self.database = new
        return new


def open_file(name: str, opened: Iterable[OpenFile], *, use_diff: bool) -> OpenFile:
    """Open a database's file and read it. Raises: OvsdbError."""
    if any(_is_same_file(name, other.name) for other in opened):
        raise OvsdbError(None, f"{name}: already open")
    file = storage.open_storage(name, writable=True)
    file.file.encode = wire.encode
    file.file.decode = wire.decode
    file.defers_sync = True
    gc.disable()  # nothing that is made here is garbage
    try:
        database, error = storage.load(file, use_diff=use_diff, misfit=_report)
    except BaseException:
        file.close()
        raise
    finally:
        gc.enable()
    gc.freeze()
    if error is not None:
        # Probably a torn tail after a power failure: the rest is good.
        _log.err("%s", error)
    if database.name.startswith("_"):
        file.close()
        raise OvsdbError(
            None, f'{database.name}: names beginning with "_" are reserved'
        )
    return OpenFile(database, file)


def _report(error: OvsdbError) -> None:
    _log.info("%s", error)


def _is_same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
