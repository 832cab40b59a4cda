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
    """Return the <database-schema> with tables and columns in that order."""
    json: dict[str, Any] = schema.to_json()
    tables = json["tables"]
    for table in tables.values():
        names = [*_STANDARD_COLUMNS, *_shuffle(table["columns"])]
        order = _shuffle(name for name in _shuffle(names) if name in table["columns"])
        table["columns"] = {name: table["columns"][name] for name in order}
    json["tables"] = {
        name: tables[name] for name in _shuffle(_shuffle(_shuffle(tables)))
    }
    return json


def _shuffle(names: Iterable[str]) -> list[str]:
    return hash_order(names, string_hash)
