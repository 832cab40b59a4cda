# SPDX-License-Identifier: Apache-2.0
"""ovsdb-client's commands about databases and schemas, and simple transactions."""

from __future__ import annotations

from ovswitch.ovsdb.client import settings
from ovswitch.ovsdb.client.connection import (
    NEED_DATABASE,
    Connection,
    connect,
    parse_json,
    schema_from_file,
)
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.ovsdb.output import Cell, Table
from ovswitch.runtime import fatal, json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ovswitch.ovsdb.schema import Schema, TableSchema


def in_hash_order(names: Iterable[str]) -> list[str]:
    """Return names as the reference's hash table of them yields them."""
    return hash_order(names, string_hash)


def table_order(schema: Schema) -> list[str]:
    """Return the tables of a schema from a server as the reference comes to them."""
    return in_hash_order(in_hash_order(schema.tables))


def column_order(table: TableSchema) -> list[str]:
    """Return the columns of such a table in that order."""
    names = list(table.columns)
    # The two columns that each table has were put in before the others.
    return in_hash_order([*names[:2], *in_hash_order(names[2:])])


def list_dbs(connection: Connection, _args: list[str]) -> None:
    """Print the databases' names."""
    settings.write("".join(f"{name}\n" for name in connection.fetch_dbs()))


def get_schema(connection: Connection, _args: list[str]) -> None:
    """Print the schema."""
    settings.write_json(connection.fetch_schema().to_json())


def get_schema_version(connection: Connection, _args: list[str]) -> None:
    """Print the schema's version."""
    settings.write(f"{connection.fetch_schema().version}\n")


def get_schema_cksum(connection: Connection, _args: list[str]) -> None:
    """Print the schema's checksum."""
    settings.write(f"{connection.fetch_schema().cksum}\n")


def list_tables(connection: Connection, _args: list[str]) -> None:
    """Print the tables' names."""
    schema = connection.fetch_schema()
    table = Table(["Table"])
    table.rows = [[name] for name in table_order(schema)]
    settings.write(table.to_text(settings.style))


def list_columns(connection: Connection, args: list[str]) -> None:
    """Print the columns of a table or of all."""
    schema = connection.fetch_schema()
    table = Table(["Column", "Type"] if args else ["Table", "Column", "Type"])
    for name in table_order(schema):
        if args and name != args[0]:
            continue
        columns = schema.tables[name].columns
        for column_name in column_order(schema.tables[name]):
            column = columns[column_name]
            cells: list[Cell | str | None] = [name] if not args else []
            cells += [column.name, Cell(column.type.to_json())]
            table.rows.append(cells)
    settings.write(table.to_text(settings.style))


def transact(_connection: Any, args: list[str]) -> None:
    """Run a transaction, print its results."""
    settings.write_json(_run(args, parse_json(args[-1])))


def query(_connection: Any, args: list[str]) -> None:
    """Run a transaction that is aborted at its end, print its results."""
    transaction = parse_json(args[-1])
    if not isinstance(transaction, list):
        fatal.die("not a valid OVSDB query")
    result = _run(args, [*transaction, {"op": "abort"}])
    # The abort's own result is no concern of the user.
    if (
        isinstance(result, list)
        and len(result) == len(transaction)
        and isinstance(result[-1], dict)
        and result[-1].get("error") == "aborted"
    ):
        result = result[:-1]
    settings.write_json(result)


def _run(args: list[str], transaction: Any) -> Any:
    if (
        not isinstance(transaction, list)
        or not transaction
        or not isinstance(transaction[0], str)
    ):
        fatal.die("not a valid OVSDB query")
    connection, _ = connect(args, 1, NEED_DATABASE, transaction[0])
    if settings.db_change_aware:
        connection.announce_change_awareness()
    settings.start_daemon(keep_stderr=True)
    settings.complete_daemon()
    return connection.call("transact", transaction)


def convert(_connection: Any, args: list[str]) -> None:
    """Put a database under a new schema."""
    schema = schema_from_file(args[-1])
    connection, _ = connect(args, 1, NEED_DATABASE, schema.name)
    _suit_cluster(connection, schema, args[-1])
    connection.announce_change_awareness()
    connection.call("convert", [schema.name, schema.to_json()])


def needs_conversion(_connection: Any, args: list[str]) -> None:
    """Print whether a schema file differs from the database's schema."""
    schema = schema_from_file(args[-1])
    connection, _ = connect(args, 1, NEED_DATABASE, schema.name)
    _suit_cluster(connection, schema, args[-1])
    same = is_same_schema(schema, connection.fetch_schema())
    settings.write("no\n" if same else "yes\n")


def _suit_cluster(connection: Connection, schema: Schema, path: str) -> None:
    """Change a schema as the server will, where the database is clustered."""
    row = connection.database_info(schema.name)
    if row is not None and row.get("model") == "clustered":
        from ovswitch.ovsdb.cluster_schema import persist_ephemeral_columns

        persist_ephemeral_columns(schema, path)


def is_same_schema(one: Schema, other: Schema) -> bool:
    """Return whether two schemas say the same."""
    texts = [json.to_string(schema.to_json(), sort=True) for schema in (one, other)]
    return texts[0] == texts[1]
