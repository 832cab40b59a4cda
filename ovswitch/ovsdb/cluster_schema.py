# SPDX-License-Identifier: Apache-2.0
"""What a schema becomes when its database is clustered.

Source: ovsdb/ovsdb.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.ovsdb.schema import Schema

_log = vlog.Module("ovsdb")


def persist_ephemeral_columns(schema: Schema, source: str) -> None:
    """Make all columns persistent: clusters have no others."""
    changed = []
    for table_name in _shuffle(_shuffle(schema.tables)):
        columns = schema.tables[table_name].columns
        names = _shuffle([*list(columns)[:2], *_shuffle(list(columns)[2:])])
        for column in (columns[name] for name in names):
            if column.index > 1 and not column.persistent:
                column.persistent = True
                changed.append((column.name, table_name))
    if changed:
        _log.warn(
            "%s: changed %d columns in '%s' database from ephemeral to persistent, "
            "including '%s' column in '%s' table, because clusters do not support "
            "ephemeral columns",
            source,
            len(changed),
            schema.name,
            *changed[-1],
        )


def _shuffle(names: Iterable[str]) -> list[str]:
    return hash_order(names, string_hash)
