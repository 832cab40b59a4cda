# SPDX-License-Identifier: Apache-2.0
"""Printing tables: what they can do, how they are configured, what they do.

Tables mostly resemble each other: one that is like the one before is a "ditto", and
runs of those are one line.
"""

from __future__ import annotations

from ovswitch.flow.fields import ALL
from ovswitch.openflow import action_bits
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.messages import table, table_features
from ovswitch.openflow.messages.base import OFPTT_ALL
from ovswitch.openflow.text.output import bit_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.table_features import (
        ActionFeatures,
        InstructionFeatures,
        TableFeatures,
        TableStats,
    )
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_EVERYTHING = (1 << len(ALL)) - 1


# Lists of names in braces: "tun_{id,src,dst} reg0...reg15".


def _are_sequential(a: str, b: str) -> bool:
    """Return whether the names differ by a number that grows by one."""
    at = 0
    while at < len(a) and at < len(b) and a[at] == b[at]:
        at += 1
    x, y = a[at:], b[at:]
    return x.isdigit() and y.isdigit() and len(y) < 10 and int(x) + 1 == int(y)


def _sequential_run(names: list[str]) -> int:
    """Return how many names at the front count up."""
    n = 1
    while n < len(names) and _are_sequential(names[n - 1], names[n]):
        n += 1
    return 1 if n == 2 else n  # "x0...x1" is worse than "x0 x1"


def _common_prefix(a: str, b: str) -> int:
    """Return the size of the longest common prefix that ends in "_"."""
    size = 0
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            break
        if x == "_":
            size = i + 1
    return size


def _prefix_run(names: list[str], start: int) -> tuple[int, int]:
    """Return how many names share a further prefix, and its size."""
    if len(names) < 2:
        return len(names), 0
    extra = _common_prefix(names[0][start:], names[1][start:])
    if not extra:
        return 1, 0
    n = 2
    while n < len(names) and _common_prefix(names[0][start:], names[n][start:]):
        n += 1
    return n, extra


def join_names(names: list[str], start: int = 0) -> str:
    """Return names with what they have in common said once."""
    parts = []
    while names:
        prefixed, extra = _prefix_run(names, start)
        counted = _sequential_run(names)
        if counted >= prefixed:
            text = names[0][start:]
            if counted > 1:
                text += "..." + names[counted - 1][start:]
        else:
            inner = join_names(names[:prefixed], start + extra)
            text = f"{names[0][start : start + extra]}{{{inner}}}"
        parts.append(text)
        names = names[max(prefixed, counted) :]
    return ("," if start else " ").join(parts)


def _fields(bits: int) -> str:
    names = [field.name for field in ALL if bits >> field.index & 1]
    return " " + join_names(names) if names else ""


# Features.


def _put_actions(out: Out, features: ActionFeatures) -> None:
    if features.actions:
        out.put(f"        actions: {action_bits.format_names(features.actions)}\n")
    if features.set_fields:
        out.put(f"        supported on Set-Field:{_fields(features.set_fields)}\n")


def _runs(bits: int) -> str:
    """Return a bitmap as "1-3,5"."""
    parts = []
    start = 0
    while bits >> start:
        if not bits >> start & 1:
            start += 1
            continue
        end = start
        while bits >> end & 1:
            end += 1
        parts.append(str(start) if end == start + 1 else f"{start}-{end - 1}")
        start = end
    return ",".join(parts)


def _put_instructions(
    out: Out, features: InstructionFeatures, previous: InstructionFeatures | None
) -> None:
    if features.next_tables:
        out.put(f"      next tables: {_runs(features.next_tables)}\n")
    if features.instructions:
        if previous and features.instructions == previous.instructions:
            out.put("      (same instructions)\n")
        else:
            out.put(f"      instructions: {' '.join(features.instructions)}\n")
    write, apply = features.write, features.apply
    if (
        previous
        and write.key() == previous.write.key()
        and apply.key() == previous.apply.key()
        and write.set_fields
    ):
        out.put("      (same actions)\n")
    elif write.key() != apply.key():
        out.put("      Write-Actions features:\n")
        _put_actions(out, write)
        out.put("      Apply-Actions features:\n")
        _put_actions(out, apply)
    elif write.actions or write.set_fields:
        out.put("      Write-Actions and Apply-Actions features:\n")
        _put_actions(out, write)


def _next_equal(a: int, a_table: int, b: int, b_table: int) -> bool:
    """Return whether two tables go to the same ones, but for each other.

    Usually a table goes to all behind it: the second then lacks only itself.
    """
    if b_table == a_table + 1 and a >> b_table & 1 and not b >> b_table & 1:
        return a & ~(1 << b_table) == b
    if a_table == b_table + 1:
        return _next_equal(b, b_table, a, a_table) if a_table != b_table else a == b
    return a == b


def _instructions_equal(
    a: InstructionFeatures, a_table: int, b: InstructionFeatures, b_table: int
) -> bool:
    return (
        _next_equal(a.next_tables, a_table, b.next_tables, b_table)
        and a.instructions == b.instructions
        and a.write.key() == b.write.key()
        and a.apply.key() == b.apply.key()
    )


def _instructions_empty(a: InstructionFeatures) -> bool:
    parts = (*a.write.key(), *a.apply.key())
    return not a.next_tables and not a.instructions and not any(parts)


def _both_equal(a: TableFeatures, b: TableFeatures) -> bool:
    return _instructions_equal(
        a.nonmiss, a.table_id, b.nonmiss, b.table_id
    ) and _instructions_equal(a.miss, a.table_id, b.miss, b.table_id)


def _features_equal(a: TableFeatures, b: TableFeatures) -> bool:
    return (
        a.metadata_match == b.metadata_match
        and a.metadata_write == b.metadata_write
        and a.miss_config == b.miss_config
        and a.supports_eviction == b.supports_eviction
        and a.supports_vacancy_events == b.supports_vacancy_events
        and a.max_entries == b.max_entries
        and _both_equal(a, b)
        and a.match == b.match
    )


def _features_empty(a: TableFeatures) -> bool:
    return not (
        a.metadata_match
        or a.metadata_write
        or a.miss_config
        or a.supports_eviction is not None
        or a.supports_vacancy_events is not None
        or a.max_entries
        or not _instructions_empty(a.nonmiss)
        or not _instructions_empty(a.miss)
        or a.match
    )


def _put_matching(out: Out, features: TableFeatures) -> None:
    out.put("    matching:\n")
    mask, wildcard = features.mask, features.wildcard
    for title, bits in (
        ("arbitrary mask", mask & wildcard),
        ("exact match or wildcard", ~mask & wildcard),
        ("must exact match", ~mask & ~wildcard),
    ):
        bits &= features.match & _EVERYTHING
        if bits:
            out.put(f"      {title}:{_fields(bits)}\n")


def _put_all_instructions(
    out: Out, features: TableFeatures, previous: TableFeatures | None
) -> None:
    nonmiss, miss, number = features.nonmiss, features.miss, features.table_id
    if previous and _both_equal(features, previous):
        if not _instructions_empty(nonmiss):
            out.put("    (same instructions)\n")
        return
    before = previous.nonmiss if previous else None
    if not _instructions_equal(nonmiss, number, miss, number):
        out.put("    instructions (other than table miss):\n")
        _put_instructions(out, nonmiss, before)
        out.put("    instructions (table miss):\n")
        _put_instructions(out, miss, previous.miss if previous else None)
    elif not _instructions_empty(nonmiss):
        out.put("    instructions (table miss and others):\n")
        _put_instructions(out, nonmiss, before)


class TablePrinter:
    """Prints tables one after the other; `finish` ends a run of dittos."""

    __slots__ = ("_first_ditto", "_last_ditto", "_out", "_previous", "_stats")

    def __init__(self, out: Out) -> None:
        self._out = out
        self._previous: TableFeatures | None = None
        self._stats: TableStats | None = None
        self._first_ditto = self._last_ditto = -1

    def put(self, features: TableFeatures, stats: TableStats | None = None) -> None:
        """Print one table's features, and its statistics if given."""
        previous, before = self._previous, self._stats
        self._previous, self._stats = features, stats
        out = self._out
        if previous is None and features.command != table_features.REPLACE:
            name = table_features.COMMANDS[features.command]
            out.put(f"\n  command: {name}")
        same_stats = stats is None or (
            before is not None
            and stats.active_count == before.active_count
            and stats.lookup_count == before.lookup_count
            and stats.matched_count == before.matched_count
        )
        same = previous is not None and _features_equal(features, previous)
        number = features.table_id
        if same_stats and same and not features.name:
            if self._first_ditto < 0:
                self._first_ditto = number
            self._last_ditto = number
            return
        self.finish()
        out.put(f"\n  table {number}")
        if features.name:
            out.put(f' ("{features.name}")')
        out.put(":")
        if same_stats and same:
            out.put(" ditto")
            return
        out.put("\n")
        if stats is not None:
            out.put(
                f"    active={stats.active_count}, lookup={stats.lookup_count}, "
                f"matched={stats.matched_count}\n"
            )
        if same:
            if not _features_empty(features):
                out.put("    (same features)\n")
        else:
            self._put_features(features, previous)

    def _put_features(
        self, features: TableFeatures, previous: TableFeatures | None
    ) -> None:
        out = self._out
        if features.metadata_match or features.metadata_write:
            match, write = features.metadata_match, features.metadata_write
            out.put(f"    metadata: match={_hex(match)} write={_hex(write)}\n")
        if features.miss_config:
            out.put(f"    config={table.MISSES[features.miss_config]}\n")
        for title, supported in (
            ("eviction", features.supports_eviction),
            ("vacancy events", features.supports_vacancy_events),
        ):
            if supported is not None:
                out.put(f"    {title}: {'' if supported else 'not '}supported\n")
        if features.max_entries:
            out.put(f"    max_entries={features.max_entries}\n")
        _put_all_instructions(out, features, previous)
        if features.match:
            if previous and features.match == previous.match:
                out.put("    (same matching)\n")
            else:
                _put_matching(out, features)

    def finish(self) -> None:
        """Print the run of dittos that was met, if any."""
        first, last = self._first_ditto, self._last_ditto
        self._first_ditto = -1
        if first < 0:
            return
        if first == last:
            self._out.put(f"\n  table {first}: ditto\n")
        else:
            self._out.put(f"\n  tables {first}...{last}: ditto\n")


def _hex(value: int) -> str:
    return f"{value:#x}" if value else "0"


def _features(out: Out, header: raws.Header, cursor: Cursor) -> None:
    printer = TablePrinter(out)
    try:
        while cursor.left:
            printer.put(table_features.take_features(header.version, cursor))
    finally:
        printer.finish()


def _stats(out: Out, header: raws.Header, cursor: Cursor) -> None:
    printer = TablePrinter(out)
    try:
        while cursor.left:
            stats = table_features.take_stats(header.version, cursor)
            printer.put(stats.features, stats)
    finally:
        printer.finish()


# Configuration.


def _eviction_flags(flags: int) -> str:
    if flags == table.NO_FLAGS:
        return "(default)"
    return bit_names(flags, table.EVICTION_FLAGS, "|")


def put_table_desc(out: Out, desc: table.TableDesc) -> None:
    """Print a table's configuration."""
    out.put(
        f"\n  table {out.table(desc.table_id)}:\n"
        f"   eviction={table.SETTINGS[desc.eviction]} "
        f"eviction_flags={_eviction_flags(desc.eviction_flags)}\n"
        f"   vacancy={table.SETTINGS[desc.vacancy]}"
    )
    if desc.vacancy == table.ON:
        out.put(
            f" vacancy_down={desc.vacancy_down}% vacancy_up={desc.vacancy_up}%"
            f" vacancy={desc.vacancy_now}%"
        )
    out.put("\n")


def _desc(out: Out, header: raws.Header, cursor: Cursor) -> None:
    while cursor.left:
        put_table_desc(out, table.take_desc(header.version, cursor))


def _mod(out: Out, header: raws.Header, cursor: Cursor) -> None:
    mod = decode_body(header, cursor)
    assert isinstance(mod, table.TableMod)
    if mod.table_id == OFPTT_ALL:
        out.put(" table_id: ALL_TABLES")
    else:
        out.put(f" table_id={out.table(mod.table_id)}")
    if mod.miss != table.MISS_DEFAULT:
        out.put(f", flow_miss_config={table.MISSES[mod.miss]}")
    if mod.eviction != table.DEFAULT:
        known = mod.eviction < len(table.SETTINGS)
        out.put(
            f", eviction={table.SETTINGS[mod.eviction] if known else '***error***'}"
        )
    if mod.eviction_flags != table.NO_FLAGS:
        out.put(f"eviction_flags={_eviction_flags(mod.eviction_flags)}")
    if mod.vacancy != table.DEFAULT:
        out.put(f", vacancy={table.SETTINGS[mod.vacancy]}")
        if mod.vacancy == table.ON:
            out.put(f" vacancy:{mod.vacancy_down},{mod.vacancy_up}")


def _status(out: Out, header: raws.Header, cursor: Cursor) -> None:
    status = decode_body(header, cursor)
    assert isinstance(status, table.TableStatus)
    is_down = status.reason == table.VACANCY_DOWN
    out.put(f" reason=VACANCY_{'DOWN' if is_down else 'UP'}\ntable_desc:-")
    put_table_desc(out, status.desc)


PRINTERS = {
    "TABLE_FEATURES_STATS_REQUEST": _features,
    "TABLE_FEATURES_STATS_REPLY": _features,
    "TABLE_STATS_REPLY": _stats,
    "TABLE_DESC_REQUEST": _desc,
    "TABLE_DESC_REPLY": _desc,
    "TABLE_MOD": _mod,
    "TABLE_STATUS": _status,
}
