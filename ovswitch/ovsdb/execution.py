# SPDX-License-Identifier: Apache-2.0
"""The operations of a `transact` request.

`execute()` runs them in order against the tables and gives results and a transaction
that isn't committed yet. The first operation that fails ends it. A `wait` that isn't
satisfied and may still be raises PostponedError: everything is undone, to be run again
when the database has changed or its time is over.

Sources: RFC 7047 section 5.2, ovsdb-server(7), ovsdb/execution.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.condition import Condition
from ovswitch.ovsdb.error import OvsdbError, syntax_error
from ovswitch.ovsdb.mutation import Mutation
from ovswitch.ovsdb.parser import ARRAY, BOOLEAN, ID, INTEGER, OBJECT, STRING, Parser
from ovswitch.ovsdb.rbac import Client
from ovswitch.ovsdb.row import Row, data_from_json
from ovswitch.ovsdb.schema import UUID_COLUMN
from ovswitch.ovsdb.symbols import SymbolTable
from ovswitch.ovsdb.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.schema import ColumnSchema
    from ovswitch.ovsdb.table import Table

    Result = dict[str, Any]
    HoldsLock = Callable[[str], bool]


_ROOT = Client()  # may do everything


class PostponedError(Exception):
    """A `wait` isn't satisfied: try again on a change, but not after `timeout_ms`.

    The timeout counts from when the request came in; None is forever.
    """

    def __init__(self, timeout_ms: int | None) -> None:
        super().__init__(timeout_ms)
        self.timeout_ms = timeout_ms


class Outcome:
    """What the operations gave: results, and a transaction unless one failed."""

    __slots__ = ("durable", "results", "transaction")

    def __init__(
        self, results: list[Any], transaction: Transaction | None, durable: bool
    ) -> None:
        self.results = results
        self.transaction = transaction
        self.durable = durable


class Execution:
    """One run of a request's operations, for a client of some role."""

    __slots__ = (
        "client",
        "database",
        "durable",
        "elapsed_ms",
        "holds_lock",
        "symbols",
        "timeout_ms",
        "transaction",
    )

    def __init__(
        self,
        database: Database,
        holds_lock: HoldsLock | None = None,
        elapsed_ms: int = 0,
        client: Client | None = None,
    ) -> None:
        self.database = database
        self.client = client or _ROOT
        self.holds_lock = holds_lock
        self.elapsed_ms = elapsed_ms
        self.transaction = Transaction()
        self.symbols = SymbolTable()
        self.durable = False
        self.timeout_ms: int | None = None

    def run(self, operations: list[Any], read_only: bool) -> Outcome:
        """Run the operations. Raises: PostponedError."""
        results: list[Any] = []
        for number, operation in enumerate(operations, 1):
            try:
                results.append(
                    self._operation(operation, number, len(operations), read_only)
                )
            except OvsdbError as error:
                self.transaction.abort()
                results.append(error.to_json())
                results += [None] * (len(operations) - number)
                return Outcome(results, None, self.durable)
            except BaseException:
                self.transaction.abort()
                raise
        return Outcome(results, self.transaction, self.durable)

    def _operation(
        self, json: object, number: int, count: int, read_only: bool
    ) -> Result:
        parser = Parser(json, f"ovsdb operation {number} of {count}")
        name = parser.member("op", ID)
        operation = _OPERATIONS.get(name)
        if name is not None and operation is None:
            parser.fail(f'No operation "{name}"')
        if operation is None:
            parser.finish()
            raise AssertionError
        executor, only_reads = operation
        try:
            result = executor(self, parser)
        except OvsdbError:
            parser.finish()  # an error of form comes before any other
            raise
        parser.finish()
        if not only_reads:
            self._check_writable(name, read_only)
        return result

    def _check_writable(self, name: str, read_only: bool) -> None:
        database = self.database.name
        if read_only:
            where = "when database server is in read only mode"
        elif database.startswith("_"):
            where = f"on table in reserved database {database}"
        else:
            return
        raise OvsdbError("not allowed", f"{name} operation not allowed {where}")

    def _table(self, parser: Parser) -> Table | None:
        name = parser.member("table", ID)
        if name is None:
            return None
        table = self.database.tables.get(name)
        if table is None:
            parser.fail(f"No table named {name}.")
        return table

    def _condition(self, table: Table, json: list[Any]) -> Condition:
        return Condition.from_json(table.schema, json, self.symbols)

    # The operations

    def insert(self, parser: Parser) -> Result:
        """Add a row."""
        table = self._table(parser)
        uuid_text = parser.member("uuid", STRING, optional=True)
        name = parser.member("uuid-name", ID, optional=True)
        json = parser.member("row", OBJECT)
        _raise_error(parser)
        assert table is not None
        uuid = self._new_uuid(table, uuid_text, name)
        data = data_from_json(table, json, self.symbols)
        for column, error in table.suspect_defaults:
            if data.get(column, column.type.default) == column.type.default:
                raise error
        row = Row.default(table, uuid)
        fields = row.fields
        for column, datum in data.items():
            fields[column.index] = datum
        self.client.check_insert(self.database, row)
        fields[UUID_COLUMN] = (uuid,)
        self.transaction.insert(row)
        return {"uuid": ["uuid", uuid]}

    def _new_uuid(self, table: Table, text: str | None, name: str | None) -> str:
        uuid = None if text is None else uuids.parse(text)
        if text is not None:
            if uuid is None:
                raise syntax_error(text, "bad uuid")
            if not self.transaction.may_insert(table, uuid):
                raise syntax_error(
                    text,
                    "This UUID would duplicate a UUID already present within the table "
                    "or deleted within the same transaction.",
                    "duplicate uuid",
                )
        if name is None:
            return uuid or uuids.generate()
        symbol = self.symbols.insert(name)
        if symbol.created:
            raise syntax_error(
                name,
                'This "uuid-name" appeared on an earlier "insert" operation.',
                "duplicate uuid-name",
            )
        if uuid is not None:
            symbol.uuid = uuid
        symbol.created = True
        return symbol.uuid

    def select(self, parser: Parser) -> Result:
        """Return rows: distinct ones, unless their UUID is asked for."""
        table = self._table(parser)
        where = parser.member("where", ARRAY)
        columns_json = parser.member("columns", ARRAY, optional=True)
        sort_json = parser.member("sort", ARRAY, optional=True)
        _raise_error(parser)
        assert table is not None
        condition = self._condition(table, where)
        columns = table.schema.column_set(columns_json)
        sort = table.schema.column_set(sort_json) if sort_json is not None else ()
        rows = condition.query(table)
        if not any(column.index == UUID_COLUMN for column in columns):
            rows = list({row.key(columns): row for row in reversed(rows)}.values())
            rows.reverse()
        if sort:
            rows.sort(key=lambda row: _sort_key(row, sort))
        return {"rows": [row.to_json(columns) for row in rows]}

    def update(self, parser: Parser) -> Result:
        """Set columns of the rows that match."""
        table = self._table(parser)
        where = parser.member("where", ARRAY)
        json = parser.member("row", OBJECT)
        _raise_error(parser)
        assert table is not None
        data = data_from_json(table, json, self.symbols)
        for column in data:
            if not column.mutable:
                raise syntax_error(
                    parser.json,
                    f"Cannot update immutable column {column.name} in table "
                    f"{table.name}.",
                    "constraint violation",
                )
        rows = self._condition(table, where).query(table)
        self.client.check_change(self.database, table, rows, data, "update")
        changes = [(column.index, datum) for column, datum in data.items()]
        for row in rows:
            if any(row.fields[index] != datum for index, datum in changes):
                fields = self.transaction.modify(row).fields
                for index, datum in changes:
                    fields[index] = datum
        return {"count": len(rows)}

    def mutate(self, parser: Parser) -> Result:
        """Change columns of the rows that match, each in its own way."""
        table = self._table(parser)
        where = parser.member("where", ARRAY)
        mutations_json = parser.member("mutations", ARRAY)
        _raise_error(parser)
        assert table is not None
        mutations = [
            Mutation.from_json(table.schema, mutation, self.symbols)
            for mutation in mutations_json
        ]
        rows = self._condition(table, where).query(table)
        columns = [mutation.column for mutation in mutations]
        self.client.check_change(self.database, table, rows, columns, "mutate")
        for row in rows:
            fields = self.transaction.modify(row).fields
            for mutation in mutations:
                index = mutation.column.index
                fields[index] = mutation.apply(fields[index])
        return {"count": len(rows)}

    def delete(self, parser: Parser) -> Result:
        """Delete the rows that match."""
        where = parser.member("where", ARRAY)
        table = self._table(parser)
        _raise_error(parser)
        assert table is not None
        rows = self._condition(table, where).query(table)
        self.client.check_delete(self.database, table, rows)
        for row in rows:
            self.transaction.delete(row)
        return {"count": len(rows)}

    def wait(self, parser: Parser) -> Result:
        """Succeed once the rows that match are, or aren't, those given."""
        timeout = parser.member("timeout", INTEGER, optional=True)
        where = parser.member("where", ARRAY)
        columns_json = parser.member("columns", ARRAY, optional=True)
        until = parser.member("until", STRING)
        rows_json = parser.member("rows", ARRAY)
        table = self._table(parser)
        _raise_error(parser)
        assert table is not None
        condition = self._condition(table, where)
        columns = table.schema.column_set(columns_json)
        self._note_timeout(timeout)
        if until not in {"==", "!="}:
            raise syntax_error(until, '"until" must be "==" or "!="')
        expected = {self._expected(table, row, columns) for row in rows_json}
        actual = {row.key(columns) for row in condition.query(table)}
        if (actual == expected) == (until == "=="):
            return {}
        if timeout is None or self.elapsed_ms < timeout:
            raise PostponedError(self.timeout_ms)
        if self.elapsed_ms:
            text = f'"wait" timed out after {self.elapsed_ms} ms'
        else:
            text = '"where" clause test failed'
        raise OvsdbError("timed out", text)

    def _note_timeout(self, timeout: int | None) -> None:
        if timeout is None:
            return
        if timeout < 0:
            raise syntax_error(timeout, "timeout must be nonnegative")
        if self.timeout_ms is None or timeout < self.timeout_ms:
            self.timeout_ms = timeout

    def _expected(
        self, table: Table, json: object, columns: tuple[ColumnSchema, ...]
    ) -> tuple[Datum, ...]:
        data = data_from_json(table, json, self.symbols)
        return tuple(data.get(column, column.type.default) for column in columns)

    def commit(self, parser: Parser) -> Result:
        """Note whether the transaction must be durable."""
        if parser.member("durable", BOOLEAN):
            self.durable = True
        return {}

    def abort(self, _parser: Parser) -> Result:
        """Fail."""
        raise OvsdbError("aborted", "aborted by request")

    def comment(self, parser: Parser) -> Result:
        """Note a comment for the log."""
        comment = parser.member("comment", STRING)
        if comment is not None:
            self.transaction.comments.append(comment)
        return {}

    def assert_(self, parser: Parser) -> Result:
        """Fail unless the client holds a lock."""
        lock = parser.member("lock", ID)
        if lock is None or (self.holds_lock is not None and self.holds_lock(lock)):
            return {}
        raise OvsdbError("not owner", f"Asserted lock {lock} not held.")


def _raise_error(parser: Parser) -> None:
    if parser.error is not None:
        raise parser.error


def _sort_key(row: Row, columns: tuple[ColumnSchema, ...]) -> list[tuple[int, Datum]]:
    fields = row.fields
    return [(len(fields[c.index]), fields[c.index]) for c in columns]


# Name -> what does it, and whether it never writes.
_OPERATIONS: dict[str | None, tuple[Callable[[Execution, Parser], Result], bool]] = {
    "insert": (Execution.insert, False),
    "select": (Execution.select, True),
    "update": (Execution.update, False),
    "mutate": (Execution.mutate, False),
    "delete": (Execution.delete, False),
    "wait": (Execution.wait, True),
    "commit": (Execution.commit, False),
    "abort": (Execution.abort, True),
    "comment": (Execution.comment, True),
    "assert": (Execution.assert_, True),
}
