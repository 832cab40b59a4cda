# SPDX-License-Identifier: Apache-2.0
"""The text of a schema as files and clients get it: in the reference's order.

JSON's members have no order, but tools of the reference print tables and columns in
the order of hash tables that were filled from this text, and scripts saw that order
for years. So the text follows the path of the reference: from the file into a hash
table, into the schema's own, into a third that is written out.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.order import hash_order, string_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ovswitch.ovsdb.schema import Schema

_STANDARD_COLUMNS = ("_uuid", "_version")


def ordered_json(schema: Schema) -> dict[str, Any]:
    """Return the <database-schema> with all members in that order."""
    orders: dict[tuple[str, ...], list[str]] = {}
    json: dict[str, Any] = schema.to_json()
    tables = json["tables"]
    for table in tables.values():
        columns = table["columns"]
        names = [*_STANDARD_COLUMNS, *_shuffle(columns)]
        order = _shuffle(name for name in _shuffle(names) if name in columns)
        table["columns"] = {
            name: _shuffled_members(columns[name], orders) for name in order
        }
    json["tables"] = {
        name: {member: tables[name][member] for member in _shuffle(tables[name])}
        for name in _shuffle(_shuffle(_shuffle(tables)))
    }
    return {name: json[name] for name in _shuffle(json)}


def _shuffled_members(json: Any, orders: dict[tuple[str, ...], list[str]]) -> Any:
    """Return an object in order, and those in it; `orders` remembers the orders."""
    if not isinstance(json, dict):
        return json
    names = tuple(json)
    if names not in orders:
        orders[names] = _shuffle(names)
    return {name: _shuffled_members(json[name], orders) for name in orders[names]}


def _shuffle(names: Iterable[str]) -> list[str]:
    return hash_order(names, string_hash)
