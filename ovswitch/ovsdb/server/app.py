# SPDX-License-Identifier: Apache-2.0
"""ovsdb-server put together: files, the core, its shell, and what configures them.

`Config` is what the command line said and ovs-appctl changed since; it is kept in a
file without a name that survives a crash of the process under `--monitor`.

Source: ovsdb/ovsdb-server.c.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.server import files, remote_config
from ovswitch.ovsdb.server.aio_server import Shell
from ovswitch.ovsdb.server.backup import Backup
from ovswitch.ovsdb.server.relay import PREFIX as RELAY_PREFIX
from ovswitch.ovsdb.server.relays import Relays
from ovswitch.ovsdb.server.server import Server
from ovswitch.ovsdb.server.server_database import ServerDatabase
from ovswitch.runtime import clock, json, loop, replay, ssl_config, vlog

if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.server.aio_upstream import Upstream
    from ovswitch.ovsdb.server.files import OpenFile
    from ovswitch.ovsdb.server.served import Served
    from ovswitch.ovsdb.table import Table
    from ovswitch.ovsdb.transaction import Transaction

STATUS_INTERVAL_MS = 2500
SNAPSHOT_CHECK_MS = 10_000

_log = vlog.Module("ovsdb_server")
_limit = vlog.RateLimit(1, 1)


class Config:
    """Remotes, databases, and the replication that was asked for.

    `files` names databases as the command line does: files, and relays.
    """

    def __init__(self) -> None:
        self.remotes: list[str] = []
        self.files: list[str] = []
        self.sync_from: str | None = None
        self.sync_exclude: str | None = None
        self.is_backup = False
        self._fd = os.memfd_create("ovsdb-server")

    def save(self) -> None:
        """Keep the configuration for the process after this one."""
        octets = json.to_bytes(
            {
                "remotes": self.remotes,
                "db_filenames": self.files,
                "sync_from": self.sync_from,
                "sync_exclude": self.sync_exclude,
                "is_backup": self.is_backup,
            }
        )
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, octets, 0)

    def load(self) -> None:
        """Take over what was saved last."""
        size = os.fstat(self._fd).st_size
        saved: Any = json.from_string(os.pread(self._fd, size, 0))
        self.remotes = saved["remotes"]
        self.files = saved["db_filenames"]
        self.sync_from = saved["sync_from"]
        self.sync_exclude = saved["sync_exclude"]
        self.is_backup = saved["is_backup"]


class App:
    """A running ovsdb-server.

    `ssl_options` are the command line's, by name; each may be a `db:` column.
    """

    def __init__(
        self, config: Config, ssl_options: dict[str, str], *, use_diff: bool
    ) -> None:
        self.config = config
        self.ssl_options = ssl_options
        self.use_diff = use_diff
        self.server = Server()
        self.server.convert = self._convert
        self.shell = Shell(self.server)
        self.files: dict[str, OpenFile] = {}
        self.relays = Relays(self)
        self.backup = Backup(self)
        self.server.read_only = config.is_backup
        self.server_database = ServerDatabase(self.server)
        self.exiting = asyncio.Event()
        self._tasks = loop.Group("ovsdb-server")
        self._watched: set[Table] = set()
        self._reconfigure = asyncio.Event()
        self._status_is_new = True
        self._is_complete = True  # whether all remotes are served
        self._last_errors: dict[str, str] = {}

    # Databases

    def open_all(self) -> None:
        """Serve the configured databases, and `_Server`. Raises: OvsdbError."""
        for name in self.config.files:
            self._open(name)
        self.server.add_database(self.server_database.database)
        self._databases_changed()

    def open(self, name: str) -> None:
        """Serve the database in a file, or a relay. Raises: OvsdbError."""
        self._open(name)
        self._databases_changed()

    def _open(self, name: str) -> None:
        if name.startswith(RELAY_PREFIX):
            self.relays.open(name)
        else:
            self._open_file(name)

    def _open_file(self, name: str) -> None:
        opened = files.open_file(name, self.files.values(), use_diff=self.use_diff)
        database = opened.database
        if database.name in self.server.databases:
            opened.storage.close()
            error = OvsdbError(None, f"{database.name}: duplicate database name")
            raise error
        opened.storage.schedule_snapshot(clock.now(), random.randrange)
        self.files[database.name] = opened
        self.watch(database)
        self.server.add_database(database)

    def close_database(self, name: str, reason: str) -> None:
        """Serve a database no more."""
        self.server.remove_database(name, reason)
        if name in self.relays:
            self.relays.close(name)
        else:
            self.files.pop(name).storage.close()
        self._databases_changed()

    def _databases_changed(self) -> None:
        names = [opened.name for opened in self.files.values()]
        self.config.files = names + self.relays.specifications
        self.update_server_database()

    def update_server_database(self) -> None:
        """Tell clients of databases that came, went or changed."""
        self.server_database.update(clock.wall())
        self.reconfigure()

    def _convert(self, served: Served, schema_json: object) -> None:
        """Put a database under a new schema, for a client. Raises: OvsdbError."""
        name = served.name
        opened = self.files.get(name)
        if name in self.relays:
            raise OvsdbError("not allowed", f"cannot convert relay database {name}")
        if opened is None:
            raise OvsdbError("not allowed", f"cannot convert reserved database {name}")
        new = opened.convert(schema_json, clock.wall())
        reason = f"committed {name} database schema conversion"
        self.watch(new)
        self.server.replace_database(name, new, reason)
        self._databases_changed()

    def compact(self, opened: OpenFile) -> None:
        """Rewrite a database's file without its history. Raises: OvsdbError."""
        try:
            opened.compact(clock.wall())
        except OvsdbError:
            opened.storage.schedule_snapshot(clock.now(), random.randrange, quick=True)
            raise
        opened.storage.schedule_snapshot(clock.now(), random.randrange)

    async def _compact_when_due(self) -> None:
        while True:
            await loop.sleep(SNAPSHOT_CHECK_MS)
            for opened in list(self.files.values()):
                if opened.storage.should_snapshot(clock.now()):
                    try:
                        self.compact(opened)
                    except OvsdbError as error:
                        _log.warn("%s", error)

    # Configuration

    def reconfigure(self) -> None:
        """Have remotes and SSL configured anew, soon."""
        self._reconfigure.set()

    def watch(self, database: Database) -> None:
        """Let changes of a database count that may hold our configuration."""
        database.observers.append(self._on_commit)

    def _on_commit(self, transaction: Transaction) -> None:
        if not self._watched.isdisjoint(transaction.changes):
            self.reconfigure()

    def _watch_tables(self) -> None:
        """Find out which tables the configuration depends on."""
        self._watched = set()
        for name in (*self.config.remotes, *self.ssl_options.values()):
            if name.startswith(remote_config.PREFIX):
                try:
                    column = remote_config.DatabaseColumn(name, self.server.databases)
                except remote_config.ConfigError:
                    continue
                self._watched |= column.tables()

    async def configure(self) -> list[str]:
        """Bring remotes and SSL up to date; return what is wrong."""
        self._reconfigure.clear()
        self._watch_tables()
        ssl_errors = self._configure_ssl()
        remotes, errors = remote_config.resolve_remotes(
            self.config.remotes, self.server.databases
        )
        await self.shell.set_remotes(remotes)
        self._is_complete = remotes.keys() <= self.shell.remotes.keys()
        return errors + ssl_errors

    def _configure_ssl(self) -> list[str]:
        errors = []
        files_by_option = {}
        for option, name in self.ssl_options.items():
            path, error = remote_config.resolve_file(name, self.server.databases)
            if error is not None:
                errors.append(error)
            files_by_option[option] = path
        settings = ssl_config.settings
        for option, path in files_by_option.items():
            if path or option in {"private-key", "certificate"}:
                settings.set_option(option, path)
        return errors

    async def _keep_configured(self) -> None:
        while True:
            await self._reconfigure.wait()
            self._report("configuration", await self.configure())

    def _report(self, what: str, errors: list[str]) -> None:
        """Log errors when they come up, not as long as they last."""
        text = "".join(f"{error}\n" for error in errors)
        if text and self._last_errors.get(what) != text:
            _log.warn("%s", text)
        self._last_errors[what] = text

    # Status

    async def _keep_status(self) -> None:
        while True:
            if self._status_is_new or not replay.is_active():
                self._write_status()  # a replay must not depend on the time
            self._status_is_new = False
            self.relays.update_status()
            if not self._is_complete:
                self.reconfigure()  # what couldn't be listened to may be free now
            await loop.sleep(STATUS_INTERVAL_MS)

    def _write_status(self) -> None:
        """Write the state of remotes to the rows that configure them."""
        for served in list(self.server.databases.values()):
            transaction = remote_config.status_transaction(
                self.config.remotes,
                self.server.databases,
                served,
                self.shell.remote_status,
            )
            if not transaction.changes:
                continue
            watched, self._watched = self._watched, set()  # these aren't changes to us
            try:
                served.database.commit(transaction, clock.wall())
            except OvsdbError as error:
                _log.err_rl(_limit, "Failed to update remote status: %s", error)
            self._watched = watched
            self.shell.schedule()

    def memory_usage(self) -> dict[str, int]:
        """Return counts for `memory/show`."""
        usage = self.server.memory_usage()
        if backlog := self.shell.backlog:
            usage["backlog"] = backlog
        return usage

    # Life

    def start(self) -> None:
        """Begin what goes on in the background."""
        self._tasks.spawn("configuration", self._keep_configured())
        self._tasks.spawn("status", self._keep_status())
        self._tasks.spawn("compaction", self._compact_when_due())
        self.relays.start()
        self.backup.restart()

    def spawn(self, name: str, body: Any) -> None:
        """Run something as long as the server."""
        self._tasks.spawn(name, body)

    def finish(self, upstream: Upstream) -> None:
        """Let go of another server."""
        upstream.stop()
        self._tasks.spawn("upstream", upstream.close())

    async def close(self) -> None:
        """End everything."""
        await self.backup.close()
        await self.relays.close_all()
        await self._tasks.close()
        await self.shell.close()
        for opened in self.files.values():
            opened.storage.close()
