# SPDX-License-Identifier: Apache-2.0
"""What keeps a standalone database: a log, and when to compact it.

The first record is the schema, each further one a transaction. `write()` appends; a
durable record is synced at once, or by `sync_pending()` if `defers_sync` is set: the
owner then calls that before it lets any answer out, so that transactions which came
in together share one sync.

A sync that fails leaves it open what the disk holds, and a later one that succeeds
doesn't settle that: the kernel reports a failure once and may have dropped the data.
So after a failure the whole file is written anew, by `rewrite`; until that succeeds,
each durable transaction tries it again, and none counts as durable.

Sources: ovsdb(5), ovsdb/{storage,file}.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import log, records
from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.disk import DISK
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.disk import Disk

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
_MIN_RECORDS = 100

_log = vlog.Module("ovsdb_log")


class Storage:
    """A database's log file.

    `rewrite` puts a snapshot in the file's place (`store_snapshot`) and raises
    OvsdbError; without it, a failed sync is an error and nothing more is tried.
    """

    def __init__(self, file: log.Log) -> None:
        self.file = file
        self.n_records = 0
        self.defers_sync = False
        self.needs_sync = False
        self.rewrite: Callable[[], None] | None = None
        self.is_doubtful = False  # a sync has failed since the file was written
        self._snapshot_min_ms = 0
        self._snapshot_max_ms = 0

    @property
    def name(self) -> str:
        """The file's name as the user gave it."""
        return self.file.name

    def read_schema(self) -> Schema:
        """Read the first record. Raises: OvsdbError."""
        record = self.read()
        if record is None:
            raise OvsdbError(None, "unexpected end of file reading schema")
        return Schema.from_json(record)

    def read(self) -> dict[str, Any] | None:
        """Read a record. Raises: OvsdbError."""
        record = self.file.read()
        if record is not None:
            self.n_records += 1
            if self.n_records == 2:
                self.file.mark_base()
        return record

    def unread(self) -> None:
        """Discard the record read last."""
        self.file.unread()

    def write(self, record: dict[str, Any], durable: bool) -> None:
        """Append a transaction, all of it or nothing. Raises: OvsdbError."""
        self.file.write(record)
        self.n_records += 1
        if not durable:
            return
        if self.defers_sync:
            self.needs_sync = True
            return
        try:
            self._sync()
        except OvsdbError:
            self.file.take_back()
            self.n_records -= 1
            raise

    def sync_pending(self) -> None:
        """Sync what was written durably. Raises: OvsdbError."""
        if self.needs_sync:
            self.needs_sync = False
            self._sync()

    def _sync(self) -> None:
        if not self.is_doubtful:
            try:
                self.file.sync()
                return
            except OvsdbError as error:
                if self.rewrite is None:
                    raise
                self.is_doubtful = True
                _log.warn("%s; writing the file anew", error)
        assert self.rewrite is not None
        self.rewrite()

    def store_snapshot(self, schema: Any, data: Any) -> None:
        """Replace all that is in the file. Raises: OvsdbError."""
        self.file.replace([schema, data])
        self.n_records = 2
        self.is_doubtful = False

    # When to compact

    def schedule_snapshot(
        self, now: int, jitter: Callable[[int], int], *, quick: bool = False
    ) -> None:
        """Put the next look at the file off; `jitter(range)` is random.

        `quick` is for trying again after a failure.
        """
        minutes = 10 * MINUTE_MS // (10 if quick else 1)
        self._snapshot_min_ms = now + minutes + jitter(minutes)
        if not quick:
            self._snapshot_max_ms = now + DAY_MS

    def should_snapshot(self, now: int) -> bool:
        """Return whether the file should be compacted now.

        Not too often; after a day if there is anything, before if it grew a lot.
        """
        if now < self._snapshot_min_ms:
            return False
        if now < self._snapshot_max_ms:
            return self.n_records >= _MIN_RECORDS and self.file.grew_lots()
        return self.n_records > 0

    def close(self) -> None:
        """Close the file."""
        if self.is_doubtful and self.rewrite is not None:
            try:  # for whoever opens the file next can't know
                self.rewrite()
            except OvsdbError as error:
                _log.err("%s", error)
        self.file.close()


def open_storage(name: str, *, writable: bool, disk: Disk = DISK) -> Storage:
    """Open a standalone database's file. Raises: OvsdbError."""
    mode = log.READ_WRITE if writable else log.READ_ONLY
    magics = f"{log.MAGIC}|{log.CLUSTER_MAGIC}"
    file = log.open_log(name, magics, mode, disk=disk)
    if file.magic != log.MAGIC:
        file.close()
        raise OvsdbError(
            None, f"{name}: cannot apply this operation to clustered database file"
        )
    return Storage(file)


def load(
    storage: Storage,
    schema: Schema | None = None,
    *,
    use_diff: bool = True,
    misfit: Callable[[OvsdbError], None] | None = None,
) -> tuple[Database, OvsdbError | None]:
    """Read a database from its storage.

    A record that is damaged or makes no sense ends it: the record and what follows
    will be overwritten, and its error is returned for the caller to decide whether
    that matters. A transaction that breaks the schema's rules is given to `misfit`
    and left out; without that, it ends the database without further ado.
    `schema` replaces the file's own.
    Raises: OvsdbError: the schema can't be read.
    """
    own = storage.read_schema()
    database = Database(schema or own, storage, use_diff)
    converting = schema is not None
    while True:
        try:
            record = storage.read()
        except OvsdbError as error:
            return database, error
        if record is None:
            return database, None
        if database.replay_plainly(record):
            continue
        try:
            transaction = records.to_transaction(database.tables, record, converting)
        except OvsdbError as error:
            storage.unread()
            return database, error
        try:
            database.replay(transaction)
        except OvsdbError as error:
            if misfit is None:
                storage.unread()
                return database, None
            misfit(error)
