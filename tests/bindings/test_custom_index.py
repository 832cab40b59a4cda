# SPDX-License-Identifier: Apache-2.0
"""Indexes of rows, against a plain sort."""

import random
import uuid

import pytest

from ovswitch.bindings.db.custom_index import IndexedRows
from ovswitch.bindings.db.schema import TableSchema

SCHEMA = {"columns": {"name": {"type": "string"}, "size": {"type": "integer"}}}


class Row:
    """As much of a row as an index needs."""

    def __init__(self, table, number, **columns):
        self._table = table
        self.uuid = uuid.UUID(int=number)
        self.__dict__.update(columns)


@pytest.fixture
def table():
    table = TableSchema.from_json(SCHEMA, "T")
    table.rows = IndexedRows(table)
    return table


def add(table, number, **columns):
    row = Row(table, number, **columns)
    table.rows[row.uuid] = row
    return row


def test_range_includes_both_ends(table):
    index = table.rows.index_create("by_name")
    index.add_columns("name")
    for number, name in enumerate("dacbe"):
        add(table, number, name=name, size=0)
    entry = table.rows.IndexEntry
    found = index.irange(entry(name="b"), entry(name="d"))
    assert [row.name for row in found] == ["b", "c", "d"]
    assert [row.name for row in index.irange(None, entry(name="b"))] == ["a", "b"]
    assert [row.name for row in index] == list("abcde")


def test_row_is_filed_anew_when_it_changes_and_found_to_be_removed(table):
    index = table.rows.index_create("by_name")
    index.add_column("name")
    row = add(table, 1, name="x", size=0)
    row.name = "y"
    index.add(row)
    assert len(index.values) == 1
    row.name = "z"  # unnoticed
    del table.rows[row.uuid]
    assert len(index.values) == 0


def test_row_without_the_column_is_left_out(table):
    index = table.rows.index_create("by_size")
    index.add_column("size", "DESC")
    row = add(table, 1, name="x")
    assert list(index) == []
    row.size = 5
    index.add(row)
    assert list(index) == [row]


def test_index_made_late_has_the_rows(table):
    rows = [add(table, n, name=str(n % 2), size=n) for n in range(4)]
    index = table.rows.index_create("late")
    index.add_column("name")
    index.add_column("size", "DESC")
    assert list(index) == [rows[2], rows[0], rows[3], rows[1]]
    with pytest.raises(ValueError, match="already exists"):
        table.rows.index_create("late")


def test_index_equals_a_sort_whatever_happens(table):
    draw = random.Random(5)
    index = table.rows.index_create("all")
    index.add_column("size", "DESC")
    index.add_column("name", key=lambda row: -ord(row.name))
    for _ in range(400):
        number = draw.randrange(40)
        known = table.rows.get(uuid.UUID(int=number))
        if known is None:
            add(table, number, name=draw.choice("abc"), size=draw.randrange(4))
        elif draw.random() < 0.5:
            known.size = draw.randrange(4)
            index.add(known)
        else:
            del table.rows[known.uuid]
    key = [(-row.size, -ord(row.name)) for row in index]
    assert key == sorted(key)
    assert {row.uuid for row in index} == set(table.rows)
    entry = table.rows.IndexEntry(size=2, name="b")
    found = {row.uuid for row in index.irange(entry, entry)}
    rows = table.rows.values()
    assert found == {row.uuid for row in rows if (row.size, row.name) == (2, "b")}
