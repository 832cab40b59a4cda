# SPDX-License-Identifier: Apache-2.0
"""Monitors: what clients are told when rows change.

A `View` is what to watch: tables, columns, kinds of changes. Clients that ask for the
same share one. A client's `Subscription` adds conditions and its place: the
`ChangeSet` in which what it hasn't been told yet is collected. A change set keeps, for
each row that changed, the versions at its beginning and end; so a slow client costs at
most two versions of a row, however often it changes, and the text of an update is made
once for all clients with the same conditions.

Text comes in three versions: `update` of RFC 7047, `update2` with conditions and
differences, `update3` which adds a transaction id.

Sources: RFC 7047 sections 4.1.5 and 4.1.6, ovsdb-server(7), ovsdb/monitor.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.condition import Condition
from ovswitch.ovsdb.datum import diff
from ovswitch.ovsdb.error import syntax_error
from ovswitch.ovsdb.parser import ARRAY, BOOLEAN, OBJECT, Parser
from ovswitch.ovsdb.schema import UUID_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.row import Row
    from ovswitch.ovsdb.schema import ColumnSchema
    from ovswitch.ovsdb.table import Table
    from ovswitch.ovsdb.transaction import Change, Transaction

    Encode = Callable[[Any], bytes]
    Pair = tuple[Row | None, Row | None]
    Conditions = dict[str, Condition]

INITIAL, INSERT, DELETE, MODIFY = 1, 2, 4, 8
ALL = INITIAL | INSERT | DELETE | MODIFY
_SELECT = {"initial": INITIAL, "insert": INSERT, "delete": DELETE, "modify": MODIFY}
_WORDS = {INITIAL: "initial", INSERT: "insert", MODIFY: "modify"}


class TableView:
    """A table's watched columns, and which kinds of changes matter for each.

    `selects` maps columns to kinds; `select` is all of them together. Columns that
    only a condition mentions are in `extra`: they count as changed, but aren't told.
    """

    __slots__ = ("extra", "indexes", "select", "selects", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.select = 0
        self.selects: dict[ColumnSchema, int] = {}
        self.extra: set[ColumnSchema] = set()
        self.indexes: frozenset[int] = frozenset()

    def add_request(self, json: object, *, with_where: bool) -> list[Any]:
        """Take a <monitor-request> in; return its conditions. Raises: OvsdbError."""
        schema = self.table.schema
        parser = Parser(json, f"table {self.table.name}")
        where = parser.member("where", ARRAY, [], optional=True) if with_where else []
        columns = parser.member("columns", ARRAY, optional=True)
        select_json = parser.member("select", OBJECT, optional=True)
        parser.finish()
        select = ALL if select_json is None else self._parse_select(select_json)
        self.select |= select
        if columns is None:
            for column in schema.ordered:
                if column.index != UUID_COLUMN:
                    self._add_column(column, select, columns)
            return list(where)
        for name in columns:
            if not isinstance(name, str):
                raise syntax_error(columns, "array of column names expected")
            named = schema.columns.get(name)
            if named is None:
                raise syntax_error(columns, f"{name} is not a valid column name")
            self._add_column(named, select, columns)
        return list(where)

    def _parse_select(self, json: object) -> int:
        parser = Parser(json, f"table {self.table.name} select")
        select = 0
        for name, bit in _SELECT.items():
            if parser.member(name, BOOLEAN, True, optional=True):
                select |= bit
        parser.finish()
        return select

    def _add_column(self, column: ColumnSchema, select: int, json: object) -> None:
        if column in self.selects:
            raise syntax_error(json, f"column {column.name} mentioned more than once")
        self.selects[column] = select

    def watch_condition(self, condition: Condition) -> None:
        """Let changes of the columns that a condition looks at count."""
        for clause in condition.clauses:
            if not isinstance(clause.function, bool):
                self.extra.add(clause.column)
        self.settle()

    def settle(self) -> None:
        """Work out which columns count."""
        self.indexes = frozenset(c.index for c in (*self.selects, *self.extra))

    def key(self) -> tuple[Any, ...]:
        """Return what is equal for tables watched in the same way."""
        selects = sorted((c.index, select) for c, select in self.selects.items())
        return (self.table.name, self.select, tuple(selects))

    def has_changed(self, old: Row, new: Row) -> bool:
        """Return whether any column that counts differs."""
        before, after = old.fields, new.fields
        return any(before[index] != after[index] for index in self.indexes)

    def to_json(self, row: Row, kind: int) -> dict[str, Any]:
        """Return the columns that are told of a change of that kind."""
        fields = row.fields
        return {
            column.name: column.type.to_json_value(fields[column.index])
            for column, select in self.selects.items()
            if select & kind
        }


class ChangeSet:
    """Rows that changed since some time: their versions then and now."""

    __slots__ = ("cache", "n_users", "rows")

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Pair]] = {}  # by table and UUID
        self.n_users = 0
        self.cache: dict[Any, bytes | None] = {}

    def add(self, table: str, uuid: str, old: Row | None, new: Row | None) -> None:
        """Note a change, together with an earlier one of the row."""
        rows = self.rows.setdefault(table, {})
        earlier = rows.get(uuid)
        if earlier is None:
            rows[uuid] = (old, new)
        elif new is None and earlier[0] is None:
            del rows[uuid]
        else:
            rows[uuid] = (earlier[0], new)
        if self.cache:
            self.cache.clear()


class View:
    """What to watch in a database, for any number of subscriptions."""

    __slots__ = ("_initial", "_sets", "current", "database", "subscriptions", "tables")

    def __init__(self, database: Database, tables: dict[str, TableView]) -> None:
        self.database = database
        self.tables = tables
        self.subscriptions: set[Subscription] = set()
        self.current = ChangeSet()  # empty: for those who know everything
        self._sets: list[ChangeSet] = [self.current]
        self._initial: tuple[int, dict[Any, bytes]] = (-1, {})
        for table in tables.values():
            table.settle()

    def key(self) -> tuple[Any, ...]:
        """Return what is equal for views of the same."""
        return tuple(sorted(table.key() for table in self.tables.values()))

    def commit(self, transaction: Transaction) -> bool:
        """Take a transaction in; return whether anyone may have to be told."""
        relevant = False
        for table, changes in transaction.changes.items():
            view = self.tables.get(table.name)
            if view is None:
                continue
            for change in changes.values():
                old, new = change.old, change.new
                if old is not None and new is not None:
                    if view.indexes.isdisjoint(change.columns):
                        continue
                elif old is new:
                    continue
                relevant = True
                for change_set in self._sets:
                    change_set.add(table.name, change.uuid, old, new)
        return relevant

    def attach(self, subscription: Subscription) -> None:
        """Begin to collect changes for a subscription."""
        self.subscriptions.add(subscription)
        self._join(subscription)

    def detach(self, subscription: Subscription) -> None:
        """End that."""
        self.subscriptions.discard(subscription)
        self._leave(subscription)

    def advance(self, subscription: Subscription) -> None:
        """Let a subscription begin a new change set: it has been told the old."""
        self._leave(subscription)
        self._join(subscription)

    def _join(self, subscription: Subscription) -> None:
        if self.current.rows:
            self.current = ChangeSet()
            self._sets.append(self.current)
        self.current.n_users += 1
        subscription.changes = self.current

    def _leave(self, subscription: Subscription) -> None:
        change_set = subscription.changes
        change_set.n_users -= 1
        if not change_set.n_users and change_set is not self.current:
            self._sets.remove(change_set)

    def initial(self, subscription: Subscription, encode: Encode) -> bytes:
        """Return the text of all rows that a new subscription is told of."""
        serial, texts = self._initial
        if serial != self.database.serial:
            texts = {}
            self._initial = (self.database.serial, texts)
        key = subscription.cache_key()
        text = texts.get(key)
        if text is None:
            updates = self._compose(
                subscription,
                (
                    (name, ((u, None, r) for u, r in table.table.rows.items()))
                    for name, table in self.tables.items()
                    if table.select & INITIAL
                ),
                is_initial=True,
            )
            text = texts[key] = encode(updates)
        return text

    def catch_up(
        self, subscription: Subscription, changes: Iterable[Change], encode: Encode
    ) -> bytes:
        """Return the text of earlier changes that a new subscription missed."""
        missed = ChangeSet()
        for change in changes:
            if change.table.name in self.tables:
                missed.add(change.table.name, change.uuid, change.old, change.new)
        tables = ((n, ((u, *p) for u, p in r.items())) for n, r in missed.rows.items())
        return encode(self._compose(subscription, tables, is_initial=False))

    def update(self, subscription: Subscription, encode: Encode) -> bytes | None:
        """Return the text of what a subscription hasn't been told, None if nothing."""
        change_set = subscription.changes
        key = subscription.cache_key()
        try:
            return change_set.cache[key]
        except KeyError:
            pass
        updates = self._compose(
            subscription,
            (
                (name, ((uuid, *pair) for uuid, pair in rows.items()))
                for name, rows in change_set.rows.items()
            ),
            is_initial=False,
        )
        text = encode(updates) if updates else None
        change_set.cache[key] = text
        return text

    def condition_update(self, subscription: Subscription, encode: Encode) -> bytes:
        """Return the text of what comes and goes with changed conditions.

        The subscription must have been told everything else. Empty for nothing.
        """
        changed = subscription.changed_conditions()
        updates = self._compose(
            subscription,
            (
                (name, ((u, r, r) for u, r in self.tables[name].table.rows.items()))
                for name in changed
            ),
            is_initial=False,
        )
        subscription.settle_conditions()
        return encode(updates) if updates else b""

    def _compose(
        self,
        subscription: Subscription,
        tables: Iterable[tuple[str, Iterable[tuple[str, Row | None, Row | None]]]],
        *,
        is_initial: bool,
    ) -> dict[str, Any]:
        """Return <table-updates> of (UUID, old, new) in each table."""
        updates: dict[str, Any] = {}
        for name, rows in tables:
            view = self.tables[name]
            told = {}
            for uuid, old, new in rows:
                update = subscription.row_update(view, old, new, is_initial)
                if update is not None:
                    told[uuid] = update
            if told:
                updates[name] = told
        return updates


class Subscription:
    """One client's monitor.

    `owner` is whoever passes updates on; nothing here uses it. `conditions` has one for
    each table, or is None for version 1, which knows none. `new_conditions` differ from
    them between a change of conditions and its update.
    """

    __slots__ = (
        "_key",
        "changes",
        "conditions",
        "monitor_id",
        "new_conditions",
        "owner",
        "version",
        "view",
    )

    def __init__(
        self,
        view: View,
        owner: Any,
        monitor_id: Any,
        version: int,
        conditions: Conditions | None,
    ) -> None:
        self.view = view
        self.owner = owner
        self.monitor_id = monitor_id
        self.version = version
        self.conditions = conditions
        self.new_conditions = conditions
        self.changes = view.current
        self._key: tuple[Any, ...] | None = None
        for name, condition in (conditions or {}).items():
            view.tables[name].watch_condition(condition)
        view.attach(self)

    def close(self) -> None:
        """End the monitor."""
        self.view.detach(self)

    @property
    def needs_update(self) -> bool:
        """Whether there may be something to tell."""
        return bool(self.changes.rows)

    def take_update(self, encode: Encode) -> bytes | None:
        """Return the text of what is new, if anything, and count it as told."""
        if not self.changes.rows:
            return None
        text = self.view.update(self, encode)
        self.view.advance(self)
        return text

    def cache_key(self) -> tuple[Any, ...]:
        """Return what is equal for subscriptions that are told the same."""
        if self._key is None:
            told = () if self.conditions is None else self._condition_key()
            self._key = (self.version == 1, told)
        return self._key

    def _condition_key(self) -> tuple[Any, ...]:
        return tuple(
            (name, condition.key())
            for name, condition in sorted((self.conditions or {}).items())
            if not condition.is_true
        )

    def change_condition(self, name: str, condition: Condition) -> None:
        """Replace a table's condition; `View.condition_update` tells the effect."""
        if self.new_conditions is not None:
            self.new_conditions = {**self.new_conditions, name: condition}
            self.view.tables[name].watch_condition(condition)

    def changed_conditions(self) -> list[str]:
        """Return the tables whose condition was changed."""
        old, new = self.conditions or {}, self.new_conditions or {}
        return [name for name in new if old[name].key() != new[name].key()]

    def settle_conditions(self) -> None:
        """Let the changed conditions hold for all that comes."""
        self.conditions = self.new_conditions
        self._key = None

    def row_update(
        self, view: TableView, old: Row | None, new: Row | None, is_initial: bool
    ) -> Any:
        """Return the <row-update> or <row-update2>, None if it isn't told."""
        if is_initial:
            kind = INITIAL
        elif old is None:
            kind = INSERT
        else:
            kind = DELETE if new is None else MODIFY
        if self.conditions is not None:
            kind = self._conditional_kind(view.table.name, kind, old, new)
        if not view.select & kind:
            return None
        if kind == MODIFY:
            assert old is not None
            assert new is not None
            if not view.has_changed(old, new):
                return None
        if self.version == 1:
            return _row_update(view, kind, old, new)
        return _row_update2(view, kind, old, new)

    def _conditional_kind(
        self, name: str, kind: int, old: Row | None, new: Row | None
    ) -> int:
        """Return what the change is to someone who sees only certain rows."""
        before = (self.conditions or {}).get(name)
        if before is None:
            return kind
        after = (self.new_conditions or {})[name]
        if before.is_true and after.is_true:
            return kind
        saw = old is not None and before.matches_any(old)
        sees = new is not None and after.matches_any(new)
        if kind == MODIFY:
            if saw and sees:
                return MODIFY
            return DELETE if saw else INSERT if sees else 0
        return kind if (saw if kind == DELETE else sees) else 0


def _row_update(view: TableView, kind: int, old: Row | None, new: Row | None) -> Any:
    update: dict[str, Any] = {}
    if kind == DELETE:
        assert old is not None
        update["old"] = view.to_json(old, kind)
    elif kind == MODIFY:
        assert old is not None
        assert new is not None
        update["old"] = {
            column.name: column.type.to_json_value(old.fields[column.index])
            for column, select in view.selects.items()
            if select & MODIFY and old.fields[column.index] != new.fields[column.index]
        }
    if kind != DELETE:
        assert new is not None
        update["new"] = view.to_json(new, kind)
    return update


def _row_update2(view: TableView, kind: int, old: Row | None, new: Row | None) -> Any:
    if kind == DELETE:
        return {"delete": None}
    assert new is not None
    columns: dict[str, Any] = {}
    for column, select in view.selects.items():
        if not select & kind:
            continue
        datum: Datum = new.fields[column.index]
        if kind == MODIFY:
            assert old is not None
            before = old.fields[column.index]
            if before == datum:
                continue
            datum = diff(before, datum, column.type)
        elif datum == column.type.default:
            continue
        columns[column.name] = column.type.to_json_value(datum)
    return {_WORDS[kind]: columns}


def parse_requests(
    database: Database, requests: dict[str, Any], version: int
) -> tuple[dict[str, TableView], Conditions | None]:
    """Parse <monitor-requests>, or -cond-requests. Raises: OvsdbError."""
    tables: dict[str, TableView] = {}
    conditions: Conditions = {}
    for name, json in requests.items():
        table = database.tables.get(name)
        if table is None:
            raise syntax_error(None, f"no table named {name}")
        view = tables[name] = TableView(table)
        for request in json if isinstance(json, list) else [json]:
            where = view.add_request(request, with_where=version > 1)
            if version > 1:
                # Of several requests for a table, the last one's conditions count.
                conditions[name] = Condition.from_json(table.schema, where)
    return tables, conditions if version > 1 else None
