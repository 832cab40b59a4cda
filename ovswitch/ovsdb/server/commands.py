# SPDX-License-Identifier: Apache-2.0
"""ovsdb-server's unixctl commands (ovsdb-server(1), "RUNTIME MANAGEMENT COMMANDS")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.server import remote_config
from ovswitch.ovsdb.server.replication import Excluded
from ovswitch.runtime import vlog
from ovswitch.runtime.unixctl import CommandError, commands

if TYPE_CHECKING:
    from ovswitch.ovsdb.server.app import App
    from ovswitch.ovsdb.table import Table

_log = vlog.Module("ovsdb_server")


class Commands:
    """The commands of one server."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._trims_memory: bool | None = None

    def register(self) -> None:
        """Make the commands known."""
        commands.register("exit", "", 0, 0, self._exit)
        for name, usage, least, most, function in (
            ("compact", "", 0, 1, self._compact),
            ("memory-trim-on-compaction", "on|off", 1, 1, self._memory_trim),
            ("reconnect", "", 0, 0, self._reconnect),
            ("add-remote", "REMOTE", 1, 1, self._add_remote),
            ("remove-remote", "REMOTE", 1, 1, self._remove_remote),
            ("list-remotes", "", 0, 0, self._list_remotes),
            ("add-db", "DB", 1, 1, self._add_db),
            ("remove-db", "DB", 1, 1, self._remove_db),
            ("list-dbs", "", 0, 0, self._list_dbs),
            ("tlog-set", "DB:TABLE on|off", 2, 2, self._tlog_set),
            ("tlog-list", "", 0, 0, self._tlog_list),
            ("perf-counters-show", "", 0, 0, self._perf_counters_show),
            ("perf-counters-clear", "", 0, 0, lambda _args: ""),
            ("set-active-ovsdb-server", "", 1, 1, self._set_active),
            ("get-active-ovsdb-server", "", 0, 0, self._get_active),
            ("connect-active-ovsdb-server", "", 0, 0, self._connect_active),
            ("disconnect-active-ovsdb-server", "", 0, 0, self._disconnect_active),
            ("set-active-ovsdb-server-probe-interval", "", 1, 1, self._set_probe),
            ("set-sync-exclude-tables", "", 0, 1, self._set_sync_exclude),
            ("get-sync-exclude-tables", "", 0, 0, self._get_sync_exclude),
            ("sync-status", "", 0, 0, self._sync_status),
            ("get-db-storage-status", "DB", 1, 1, self._storage_status),
            ("disable-monitor-cond", "", 0, 0, self._disable_monitor_cond),
        ):
            commands.register(f"ovsdb-server/{name}", usage, least, most, function)
        if not self._app.use_diff:
            name = "ovsdb/file/column-diff-enable"
            commands.register(name, "", 0, 0, self._enable_diff)

    def _exit(self, _args: list[str]) -> str:
        self._app.exiting.set()
        return ""

    def _compact(self, args: list[str]) -> str:
        wanted = args[0] if args else None
        if wanted is not None and wanted.startswith("_"):
            raise CommandError("cannot compact built-in databases")
        errors = ""
        n_compacted = 0
        for name in [*self._app.files, *self._app.relays.names]:
            if wanted in {None, name}:
                _log.info("compacting %s database by user request", name)
                n_compacted += 1
                try:
                    if name in self._app.files:
                        self._app.compact(self._app.files[name])
                except OvsdbError as error:
                    errors += f"{error}\n"
        if not n_compacted:
            raise CommandError("no database by that name")
        if errors:
            raise CommandError(errors)
        return ""

    def _memory_trim(self, args: list[str]) -> str:
        if args[0] not in {"on", "off"}:
            raise CommandError("invalid argument")
        trims = args[0] == "on"
        if self._trims_memory is not trims:
            self._trims_memory = trims
            word = "enabled" if trims else "disabled"
            _log.info("memory trimming after compaction %s.", word)
        return ""

    def _reconnect(self, _args: list[str]) -> str:
        self._app.server.reconnect("user ran ovsdb-server/reconnect", force=True)
        self._app.shell.schedule()
        return ""

    def _disable_monitor_cond(self, _args: list[str]) -> str:
        server = self._app.server
        server.has_monitor_cond = False
        server.reconnect("user ran ovsdb-server/disable-monitor-cond", force=True)
        self._app.shell.schedule()
        return ""

    def _enable_diff(self, _args: list[str]) -> str:
        self._app.use_diff = True
        for served in self._app.server.databases.values():
            served.database.use_diff = True
        return ""

    # Remotes

    def _add_remote(self, args: list[str]) -> str:
        remote = args[0]
        if remote.startswith(remote_config.PREFIX):
            try:
                remote_config.DatabaseColumn(remote, self._app.server.databases)
            except remote_config.ConfigError as error:
                raise CommandError(str(error)) from None
        config = self._app.config
        if remote not in config.remotes:
            config.remotes.append(remote)
            self._configuration_changed()
        return ""

    def _remove_remote(self, args: list[str]) -> str:
        config = self._app.config
        if args[0] not in config.remotes:
            raise CommandError("no such remote")
        config.remotes.remove(args[0])
        self._configuration_changed()
        return ""

    def _configuration_changed(self) -> None:
        self._app.config.save()
        self._app.reconfigure()

    def _list_remotes(self, _args: list[str]) -> str:
        return "".join(f"{remote}\n" for remote in sorted(self._app.config.remotes))

    # Databases

    def _add_db(self, args: list[str]) -> str:
        try:
            self._app.open(args[0])
        except OvsdbError as error:
            raise CommandError(str(error)) from None
        self._databases_changed()
        return ""

    def _databases_changed(self) -> None:
        self._app.config.save()
        self._app.backup.restart()
        self._app.shell.schedule()

    def _remove_db(self, args: list[str]) -> str:
        name = args[0]
        if name not in self._app.server.databases:
            raise CommandError("Failed to find the database.")
        if name.startswith("_"):
            raise CommandError("Cannot remove reserved database.")
        self._app.close_database(name, f"removing {name} database by user request")
        self._databases_changed()
        return ""

    def _list_dbs(self, _args: list[str]) -> str:
        return "".join(f"{name}\n" for name in sorted(self._app.server.databases))

    def _storage_status(self, args: list[str]) -> str:
        if args[0] not in self._app.server.databases:
            raise CommandError("Failed to find the database.")
        return "status: ok"

    def _tlog_set(self, args: list[str]) -> str:
        if args[1].lower() not in {"on", "off"}:
            raise CommandError("invalid command argument")
        self._find_table(args[0]).log = args[1].lower() == "on"
        return ""

    def _find_table(self, name: str) -> Table:
        words = [word for word in name.split(":") if word]
        if len(words) != 2:
            raise CommandError("invalid DB:TABLE argument")
        served = self._app.server.databases.get(words[0])
        if served is None:
            raise CommandError("no such database")
        table = served.database.tables.get(words[1])
        if table is None:
            raise CommandError("no such table")
        return table

    def _tlog_list(self, _args: list[str]) -> str:
        lines = [
            "database        table                       logging\n",
            "--------        -----                       -------\n",
        ]
        for name, served in sorted(self._app.server.databases.items()):
            lines.append(f"{name:<16} \n")
            for table_name, table in sorted(served.database.tables.items()):
                state = "ON" if table.log else "OFF"
                lines.append(f"{'':16}{table_name:<27} {state}\n")
        return "".join(lines)

    def _perf_counters_show(self, _args: list[str]) -> str:
        return "performance counter is not supported on this platform\n"

    # Replication

    def _set_active(self, args: list[str]) -> str:
        self._app.config.sync_from = args[0]
        self._app.config.save()
        return ""

    def _get_active(self, _args: list[str]) -> str:
        return self._app.config.sync_from or ""

    def _connect_active(self, _args: list[str]) -> str:
        if self._app.config.sync_from is None:
            return "Unable to connect: active server is not specified.\n"
        self._app.backup.begin()
        self._app.config.save()
        return ""

    def _disconnect_active(self, _args: list[str]) -> str:
        self._app.backup.end()
        self._app.config.save()
        return ""

    def _set_probe(self, args: list[str]) -> str:
        digits = args[0].removeprefix("-").removeprefix("+")
        is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
        if not is_number or not -(1 << 31) <= int(args[0]) < 1 << 31:
            return "Invalid probe interval, integer value expected"
        self._app.backup.set_probe_interval(int(args[0]))
        return ""

    def _set_sync_exclude(self, args: list[str]) -> str:
        self._app.config.sync_exclude = args[0] if args else None
        self._app.config.save()
        self._app.backup.restart()
        return ""

    def _get_sync_exclude(self, _args: list[str]) -> str:
        return str(Excluded(self._app.config.sync_exclude))

    def _sync_status(self, _args: list[str]) -> str:
        if not self._app.config.is_backup:
            return "state: active\n"
        return f"state: backup\n{self._app.backup.status()}"
