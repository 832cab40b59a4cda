# SPDX-License-Identifier: Apache-2.0
"""Remotes and SSL files that are named by database columns: `db:DB,TABLE,COLUMN`.

A string column holds connection methods, or file names for SSL. A column of
references leads to rows like the Manager table's, with a `target`, options, and
columns to which the state of the connection is written back.

Source: ovsdb-server(1), ovsdb/ovsdb-server.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ovsdb.atom import STRING, UUID
from ovswitch.ovsdb.transaction import Transaction
from ovswitch.runtime import reconnect, target, vlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from ovswitch.ovsdb.row import Row
    from ovswitch.ovsdb.schema import ColumnSchema
    from ovswitch.ovsdb.server.served import Served
    from ovswitch.ovsdb.table import Table

    Databases = Mapping[str, Served]
    Status = Mapping[str, str]
    StatusOf = Callable[[str], tuple[bool, Status]]

PREFIX = "db:"
DSCP_DEFAULT = 48

_log = vlog.Module("ovsdb_server")
_limit = vlog.RateLimit(1, 1)


class ConfigError(ValueError):
    """A `db:` name leads nowhere; the text says why."""


class NotYetError(ConfigError):
    """It may lead somewhere once the database has a schema, which isn't an error."""


class RemoteOptions:
    """How to serve one connection method."""

    __slots__ = ("dscp", "max_backoff", "probe_interval", "read_only", "role")

    def __init__(self, method: str) -> None:
        self.max_backoff = reconnect.DEFAULT_MAX_BACKOFF
        self.probe_interval = (
            reconnect.DEFAULT_PROBE_INTERVAL if target.needs_probes(method) else 0
        )
        self.read_only = False
        self.role = ""
        self.dscp = 0

    def suits(self, other: RemoteOptions) -> bool:
        """Return whether connections made with `other` may go on with this."""
        return (
            self.dscp == other.dscp
            and self.role == other.role
            and self.read_only == other.read_only
        )


class DatabaseColumn:
    """A column that is named by `db:DB,TABLE,COLUMN`."""

    __slots__ = ("column", "served", "table")

    def __init__(self, name: str, databases: Databases) -> None:
        """Find the column. Raises: ConfigError."""
        words = [word for word in name[len(PREFIX) :].split(",") if word]
        if len(words) < 3:
            raise ConfigError(f'"{name}": invalid syntax')
        database_name, table_name, column_name = words[:3]
        served = databases.get(database_name)
        if served is None:
            raise ConfigError(f'"{name}": no database named {database_name}')
        table = served.database.tables.get(table_name)
        if table is None:
            kind = ConfigError if served.is_available else NotYetError
            raise kind(f'"{name}": no table named {table_name}')
        column = table.schema.columns.get(column_name)
        if column is None:
            raise ConfigError(
                f'"{name}": table "{table_name}" has no column "{column_name}"'
            )
        self.served = served
        self.table: Table = table
        self.column: ColumnSchema = column

    @property
    def is_strings(self) -> bool:
        """Whether it holds a string or a set of them."""
        return self.column.type.key.type == STRING and not self.column.type.is_map()

    @property
    def target(self) -> Table | None:
        """The table that it refers to, if it is a set of references."""
        type_ = self.column.type
        if type_.key.type != UUID or type_.is_map() or not type_.key.ref_table_name:
            return None
        return self.served.database.tables[type_.key.ref_table_name]

    def atoms(self) -> Iterator[Any]:
        """Yield what all rows hold."""
        for row in list(self.table.rows.values()):
            yield from row.fields[self.column.index]

    def target_rows(self) -> Iterator[Row]:
        """Yield the rows that are referred to."""
        table = self.target
        if table is not None:
            for uuid in self.atoms():
                row = table.rows.get(uuid)
                if row is not None:
                    yield row

    def tables(self) -> set[Table]:
        """Return the tables on which the result depends."""
        return {self.table} | ({self.target} if self.target is not None else set())


def resolve_remotes(
    names: Iterable[str], databases: Databases
) -> tuple[dict[str, RemoteOptions], list[str]]:
    """Return the connection methods to serve, and what is wrong with `names`."""
    remotes: dict[str, RemoteOptions] = {}
    errors: list[str] = []
    for name in names:
        if not name.startswith(PREFIX):
            remotes.setdefault(name, RemoteOptions(name))
            continue
        try:
            column = DatabaseColumn(name, databases)
        except NotYetError:
            continue
        except ConfigError as error:
            errors.append(str(error))
            continue
        if column.is_strings:
            for method in column.atoms():
                remotes.setdefault(method, RemoteOptions(method))
        for row in column.target_rows():
            _add_manager(remotes, row)
    return remotes, errors


def _add_manager(remotes: dict[str, RemoteOptions], row: Row) -> None:
    """Take a row like the Manager table's in."""
    method = read(row, "target", str)
    if method is None:
        _log.info_rl(
            _limit,
            "Table `%s' has missing or invalid `target' column",
            row.table.name,
        )
        return
    options = remotes.setdefault(method, RemoteOptions(method))
    options.max_backoff = read(row, "max_backoff", int, options.max_backoff)
    options.probe_interval = read(row, "inactivity_probe", int, options.probe_interval)
    options.read_only = read(row, "read_only", bool, options.read_only)
    options.role = read(row, "role", str, "")
    options.dscp = DSCP_DEFAULT
    column = row.table.schema.columns.get("other_config")
    if column is not None and column.type.is_map():
        text = dict(row.fields[column.index]).get("dscp")
        dscp = -1 if text is None else _leading_integer(text)
        if 0 <= dscp <= 63:
            options.dscp = dscp


def _leading_integer(text: str) -> int:
    """Return the number that text begins with, 0 for none."""
    text = text.lstrip()
    sign = text[:1] if text[:1] in {"-", "+"} else ""
    rest = text[len(sign) :]
    n_digits = len(rest) - len(rest.lstrip("0123456789"))
    return int(sign + rest[:n_digits]) if n_digits else 0


def read(row: Row, name: str, kind: type, default: Any = None) -> Any:
    """Return a scalar or optional column's value, or `default` if it has none."""
    column = row.table.schema.columns.get(name)
    if column is None or column.type.is_map():
        return default
    datum = row.fields[column.index]
    if len(datum) != 1 or type(datum[0]) is not kind:
        return default
    return datum[0]


def resolve_file(name: str, databases: Databases) -> tuple[str, str | None]:
    """Return the file that an SSL option names, and what is wrong with it."""
    if not name.startswith(PREFIX):
        return name, None
    try:
        column = DatabaseColumn(name, databases)
    except NotYetError:
        return "", None
    except ConfigError as error:
        return "", str(error)
    if not column.is_strings:
        return "", (
            f'"{name}": table "{column.table.name}" column "{column.column.name}" is '
            "not string or set of strings"
        )
    return next((text for text in column.atoms() if text), ""), None


def status_transaction(
    names: Iterable[str], databases: Databases, served: Served, status_of: StatusOf
) -> Transaction:
    """Return a transaction that writes the state of remotes to their rows.

    `status_of(method)` tells whether there is a connection and more about it.
    """
    transaction = Transaction()
    for name in names:
        if not name.startswith(PREFIX):
            continue
        try:
            column = DatabaseColumn(name, databases)
        except ConfigError:
            continue
        if column.served is served:
            for row in list(column.target_rows()):
                _write_status(transaction, row, status_of)
    return transaction


def _write_status(transaction: Transaction, row: Row, status_of: StatusOf) -> None:
    method = read(row, "target", str)
    if method is None:
        return
    is_connected, status = status_of(method)
    fields = transaction.modify(row).fields
    columns = row.table.schema.columns
    connected_column = columns.get("is_connected")
    if connected_column is not None:
        fields[connected_column.index] = (is_connected,)
    status_column = columns.get("status")
    if status_column is not None and status_column.type.is_map():
        fields[status_column.index] = tuple(sorted(status.items()))
