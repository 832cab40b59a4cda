# SPDX-License-Identifier: Apache-2.0
"""A transaction: changes to rows, checked together, then committed or undone.

Changes go into the tables at once, so that later operations see them, and each first
change of a row keeps the version before. `check()` (once) completes the transaction:

1. Rows that didn't really change are dropped.
2. Strong references are counted; none may point to a row that isn't there.
3. Rows outside the root set that nothing refers to are deleted, and so on.
4. `maxRows` is checked.
5. Weak references to rows that aren't there are removed.
6. Indexes are checked.
7. Changed rows get a new `_version`.

What is derived (reference counts, indexes) is put into the tables by `complete()`, so
`abort()` has only the rows to restore.

Sources: RFC 7047 sections 3.1 and 5.2, ovsdb/transaction.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.error import (
    REFERENTIAL_INTEGRITY_VIOLATION,
    OvsdbError,
    constraint_violation,
)
from ovswitch.ovsdb.row import english_list
from ovswitch.ovsdb.schema import VERSION_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.row import Row
    from ovswitch.ovsdb.schema import ColumnSchema
    from ovswitch.ovsdb.table import Reference, Table

    RowId = tuple[Table, str]


class Change:
    """A row before and after: None where it doesn't exist.

    `columns` are the indexes of the columns that differ, known after the check; for
    an inserted or deleted row they are all of them.
    """

    __slots__ = ("columns", "new", "old", "table", "uuid")

    def __init__(
        self, table: Table, uuid: str, old: Row | None, new: Row | None
    ) -> None:
        self.table = table
        self.uuid = uuid
        self.old = old
        self.new = new
        self.columns: AbstractSet[int] = set()


class Transaction:
    """Changes by table and UUID, in the order in which tables were first changed."""

    __slots__ = (
        "_deleted",
        "_ref_changes",
        "_suspects",
        "changes",
        "comments",
        "n_atoms_change",
    )

    def __init__(self) -> None:
        self.changes: dict[Table, dict[str, Change]] = {}
        self.comments: list[str] = []
        self.n_atoms_change = 0
        self._deleted: list[Change] = []  # rows that existed before
        self._ref_changes: dict[RowId, int] = {}
        # Rows whose weak references may point to rows that are being deleted.
        self._suspects: set[RowId] = set()

    # Building

    def insert(self, row: Row) -> None:
        """Add a row; its UUID must be new, see `may_insert`."""
        table, uuid = row.table, row.uuid
        row.fields[VERSION_COLUMN] = (uuids.generate(),)
        table.rows[uuid] = row
        self._changes_of(table)[uuid] = Change(table, uuid, None, row)

    def may_insert(self, table: Table, uuid: str) -> bool:
        """Return whether no row has or, in this transaction, had that UUID."""
        return uuid not in table.rows and uuid not in self.changes.get(table, ())

    def modify(self, row: Row) -> Row:
        """Return the version of `row`, which must be current, that can be changed."""
        changes = self._changes_of(row.table)
        change = changes.get(row.uuid)
        if change is not None:
            assert change.new is row
            return row
        new = row.copy()
        changes[row.uuid] = Change(row.table, row.uuid, row, new)
        row.table.rows[row.uuid] = new
        return new

    def delete(self, row: Row) -> None:
        """Delete `row`, which must be current."""
        del row.table.rows[row.uuid]
        changes = self._changes_of(row.table)
        change = changes.get(row.uuid)
        if change is None:
            changes[row.uuid] = Change(row.table, row.uuid, row, None)
        elif change.old is not None:
            change.new = None
        else:
            del changes[row.uuid]

    def abort(self) -> None:
        """Undo everything."""
        for table, changes in self.changes.items():
            for change in changes.values():
                _restore(table, change)
        self.changes.clear()

    def _changes_of(self, table: Table) -> dict[str, Change]:
        changes = self.changes.get(table)
        if changes is None:
            changes = self.changes[table] = {}
        return changes

    def all_changes(self) -> Iterator[Change]:
        """Yield every change."""
        for changes in self.changes.values():
            yield from changes.values()

    @property
    def comment(self) -> str | None:
        """The comments, a line each."""
        return "\n".join(self.comments) if self.comments else None

    # Checking

    def check(self) -> None:
        """Complete the transaction and check it as a whole.

        Raises: OvsdbError: it can't be committed; the caller aborts it.
        """
        self._drop_unchanged()
        if not self.changes:
            return
        if self._deleted or not all(table.is_plain for table in self.changes):
            self._count_references()
            self._collect_garbage()
            self._check_max_rows()
            self._drop_weak_references()
            self._check_indexes()
        self._finish_rows()

    def _drop_unchanged(self) -> None:
        for table, changes in list(self.changes.items()):
            unchanged = []
            for uuid, change in changes.items():
                old, new = change.old, change.new
                if old is None:
                    change.columns = table.all_columns
                elif new is None:
                    change.columns = table.all_columns
                    self._deleted.append(change)
                else:
                    change.columns = _differing(old.fields, new.fields)
                    if not change.columns:
                        unchanged.append(uuid)
            for uuid in unchanged:
                _restore(table, changes.pop(uuid))
            if not changes:
                del self.changes[table]

    # Strong references

    def _count_references(self) -> None:
        for table, changes in self.changes.items():
            for reference in table.strong_columns:
                for change in changes.values():
                    if reference.index in change.columns:
                        self._count_reference(change, reference)
        for change in self._deleted:
            self._check_unreferenced(change)

    def _count_reference(self, change: Change, reference: Reference) -> None:
        target, index = reference.target, reference.index
        counts = self._ref_changes
        if change.old is not None:
            for uuid in reference.uuids(change.old.fields[index]):
                if uuid != change.uuid:
                    row = (target, uuid)
                    counts[row] = counts.get(row, 0) - 1
        if change.new is not None:
            for uuid in reference.uuids(change.new.fields[index]):
                if uuid == change.uuid:
                    continue
                self._check_exists(change, reference, uuid)
                row = (target, uuid)
                counts[row] = counts.get(row, 0) + 1

    def _check_exists(self, change: Change, reference: Reference, uuid: str) -> None:
        target = reference.target
        if uuid in target.rows or uuid in self.changes.get(target, ()):
            return
        raise OvsdbError(
            REFERENTIAL_INTEGRITY_VIOLATION,
            f"Table {change.table.name} column {reference.column.name} row "
            f"{change.uuid} references nonexistent row {uuid} in table {target.name}.",
        )

    def _n_refs(self, table: Table, uuid: str) -> int:
        return table.n_refs.get(uuid, 0) + self._ref_changes.get((table, uuid), 0)

    def _check_unreferenced(self, change: Change) -> None:
        n_refs = self._n_refs(change.table, change.uuid)
        if n_refs:
            raise OvsdbError(
                REFERENTIAL_INTEGRITY_VIOLATION,
                f"cannot delete {change.table.name} row {change.uuid} because of "
                f"{n_refs} remaining reference(s)",
            )

    def _collect_garbage(self) -> None:
        candidates = [
            (table, uuid)
            for table, changes in self.changes.items()
            if not table.schema.is_root
            for uuid in changes
        ]
        candidates += [row for row, count in self._ref_changes.items() if count <= 0]
        while candidates:
            table, uuid = candidates.pop()
            if table.schema.is_root or self._n_refs(table, uuid):
                continue
            row = table.rows.get(uuid)
            if row is not None:
                candidates += self._delete_garbage(row)

    def _delete_garbage(self, row: Row) -> list[RowId]:
        """Delete a row; return those that it referred to."""
        targets = []
        for reference in row.table.strong_columns:
            for uuid in reference.uuids(row.fields[reference.index]):
                if uuid != row.uuid:
                    target = (reference.target, uuid)
                    self._ref_changes[target] = self._ref_changes.get(target, 0) - 1
                    targets.append(target)
        self.delete(row)
        change = self.changes[row.table].get(row.uuid)
        if change is not None:
            change.columns = row.table.all_columns
            self._deleted.append(change)
        return targets

    # The other rules

    def _check_max_rows(self) -> None:
        for table in self.changes:
            if len(table.rows) > table.schema.max_rows:
                raise constraint_violation(
                    f'transaction causes "{table.name}" table to contain '
                    f"{len(table.rows)} rows, greater than the schema-defined limit "
                    f"of {table.schema.max_rows} row(s)"
                )

    def _drop_weak_references(self) -> None:
        for change in self._deleted:
            for table, uuid in change.table.weak_refs.get(change.uuid, ()):
                row = table.rows.get(uuid)
                if row is not None:
                    self.modify(row)
                    self._suspects.add((table, uuid))
        for table, changes in self.changes.items():
            for reference in table.weak_columns:
                for change in changes.values():
                    if change.new is not None:
                        self._check_weak_reference(change, change.new, reference)

    def _check_weak_reference(
        self, change: Change, row: Row, reference: Reference
    ) -> None:
        index = reference.index
        if index not in change.columns and (row.table, row.uuid) not in self._suspects:
            return
        datum = row.fields[index]
        alive = reference.target.rows
        kept = tuple(
            element
            for element, uuid in zip(datum, reference.uuids(datum), strict=True)
            if uuid in alive
        )
        if len(kept) == len(datum):
            return
        row.fields[index] = kept
        change.columns = {*change.columns, index}
        if len(kept) < reference.column.type.n_min:
            raise _emptied(change, reference, datum, kept)

    def _check_indexes(self) -> None:
        for table, changes in self.changes.items():
            for number, columns in enumerate(table.schema.indexes):
                found: dict[tuple[Datum, ...], Row] = {}
                for change in changes.values():
                    if change.new is None:
                        continue
                    key = change.new.key(columns)
                    other = found.setdefault(key, change.new)
                    if other is not change.new:
                        raise self._duplicate(columns, other, change.new)
                    existing = table.indexes[number].get(key)
                    if existing is not None and existing.uuid not in changes:
                        raise self._duplicate(columns, existing, change.new)

    def _duplicate(
        self, columns: tuple[ColumnSchema, ...], one: Row, other: Row
    ) -> OvsdbError:
        first, second = sorted((one, other), key=_row_order, reverse=True)
        names = english_list(f'"{column.name}"' for column in columns)
        plural = "s" if len(columns) > 1 else ""
        return constraint_violation(
            f'Transaction causes multiple rows in "{first.table.name}" table to have '
            f"identical values ({first.columns_to_string(columns)}) for index on "
            f"column{plural} {names}.  {self._duplicate_row('First', first, columns)}"
            f"  {self._duplicate_row('Second', second, columns)}"
        )

    def _duplicate_row(
        self, title: str, row: Row, columns: tuple[ColumnSchema, ...]
    ) -> str:
        text = f"{title} row, with UUID {row.uuid}, "
        change = self.changes.get(row.table, {}).get(row.uuid)
        if change is None or change.new is None:
            return (
                f"{text}existed in the database before this transaction and was not "
                "modified by the transaction."
            )
        if change.old is None:
            return f"{text}was inserted by this transaction."
        if change.old.key(columns) == change.new.key(columns):
            return (
                f"{text}existed in the database before this transaction, which "
                "modified some of the row's columns but not any columns in this index."
            )
        return (
            f"{text}had the following index values before the transaction: "
            f"{change.old.columns_to_string(columns)}."
        )

    def _finish_rows(self) -> None:
        n_atoms = 0
        for table, changes in self.changes.items():
            for change in changes.values():
                old, new = change.old, change.new
                if new is not None:
                    n_atoms += table.count_atoms(new)
                if old is not None:
                    n_atoms -= table.count_atoms(old)
                    if new is not None and change.columns:
                        new.fields[VERSION_COLUMN] = (uuids.generate(),)
                        change.columns = {*change.columns, VERSION_COLUMN}
        self.n_atoms_change = n_atoms

    # Committing

    def complete(self) -> int:
        """Bring what is derived up to date; return the change in weak references."""
        for (table, uuid), count in self._ref_changes.items():
            n_refs = table.n_refs.get(uuid, 0) + count
            if n_refs and uuid in table.rows:
                table.n_refs[uuid] = n_refs
            else:
                table.n_refs.pop(uuid, None)
        n_weak_refs = 0
        for table, changes in self.changes.items():
            if table.indexes:
                _update_indexes(table, changes.values())
            if table.weak_columns:
                for change in changes.values():
                    n_weak_refs += _update_weak_refs(change)
        return n_weak_refs


def _differing(old: list[Datum], new: list[Datum]) -> set[int]:
    """Return the indexes of the columns that aren't the same."""
    return {
        index
        for index, (before, after) in enumerate(zip(old, new, strict=True))
        if before is not after and before != after
    }


def _restore(table: Table, change: Change) -> None:
    if change.old is None:
        table.rows.pop(change.uuid, None)
    else:
        table.rows[change.uuid] = change.old


def _row_order(row: Row) -> list[tuple[int, Datum, Datum]]:
    """Return what orders rows: column by column, keys before values."""
    order = []
    for column, datum in zip(row.table.schema.ordered, row.fields, strict=True):
        if column.type.is_map():
            keys, values = zip(*datum, strict=True) if datum else ((), ())
            order.append((len(datum), keys, values))
        else:
            order.append((len(datum), datum, ()))
    return order


def _emptied(
    change: Change, reference: Reference, before: Datum, after: Datum
) -> OvsdbError:
    """Return the error for a column that lost all of its weak references."""
    column, table = reference.column.name, change.table.name
    is_new = change.old is None
    if is_new and uuids.ZERO in reference.uuids(before):
        return constraint_violation(
            f'Weak reference column "{column}" in "{table}" row {change.uuid} '
            "(inserted within this transaction) contained all-zeros UUID (probably as "
            "the default value for this column) but deleting this value caused a "
            "constraint volation because this column is not allowed to be empty."
        )
    where = "(inserted within this transaction) " if is_new else ""
    return constraint_violation(
        f"Deletion of {len(before) - len(after)} weak reference(s) to deleted (or "
        f'never-existing) rows from column "{column}" in "{table}" row '
        f"{change.uuid} {where}caused this column to become empty, but constraints "
        "on this column disallow an empty column."
    )


def _update_indexes(table: Table, changes: Iterable[Change]) -> None:
    for change in changes:
        if change.old is not None:
            for index, key in zip(
                table.indexes, table.index_keys(change.old), strict=True
            ):
                if index.get(key) is change.old:
                    del index[key]
        if change.new is not None:
            for index, key in zip(
                table.indexes, table.index_keys(change.new), strict=True
            ):
                index[key] = change.new


def _update_weak_refs(change: Change) -> int:
    """Note which rows the changed row refers to; return by how many more."""
    source = (change.table, change.uuid)
    total = 0
    for reference in change.table.weak_columns:
        if reference.index not in change.columns:
            continue
        for row, step in ((change.old, -1), (change.new, 1)):
            if row is None:
                continue
            for uuid in reference.uuids(row.fields[reference.index]):
                if uuid != change.uuid or reference.target is not change.table:
                    _count_weak_ref(reference.target, uuid, source, step)
                    total += step
    return total


def _count_weak_ref(
    target: Table, uuid: str, source: tuple[Table, str], step: int
) -> None:
    sources = target.weak_refs.setdefault(uuid, {})
    count = sources.get(source, 0) + step
    if count:
        sources[source] = count
        return
    sources.pop(source, None)
    if not sources:
        del target.weak_refs[uuid]
