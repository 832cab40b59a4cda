# SPDX-License-Identifier: Apache-2.0
"""Where Geneve options stand in a flow: `tun_metadata0` to `tun_metadata63`.

An option's octets have no fixed place. A bridge's TLV table says which class and type
each field means, how long it is and which octets of the flow's `tun_metadata` hold it
(several runs, when freeing and allocating has left holes). A match that is made without
a table, as ovs-ofctl makes it, brings its own layout, in the order its fields came.
Bit N of the flow's `tun_metadata_present` says that field N is there.

Tables are immutable: a change gives a new one. Source: tun-metadata.c for the order of
allocation, which shows in what fits.
"""

from __future__ import annotations

from ovswitch.flow.layout import SLOTS, TUN_METADATA_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_OPTIONS = SLOTS["tun_metadata"]
_PRESENT = SLOTS["tun_metadata_present"]
_N_WORDS = TUN_METADATA_BYTES // 4

N_FIELDS = 64


class TunMetadataError(Exception):
    """A change to a table that can't be made; `name` is the OpenFlow error's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Entry:
    """One field's option and place.

    Attributes:
        option_class, option_type: which Geneve option; 0 in a match's own layout.
        size: in octets.
        runs: (offset, size) of the octets that hold it, in order.
        masked: in a match's own layout: whether it was given with a mask.
    """

    __slots__ = ("masked", "option_class", "option_type", "runs", "size")

    def __init__(
        self,
        option_class: int,
        option_type: int,
        size: int,
        runs: tuple[tuple[int, int], ...],
        masked: bool = False,
    ) -> None:
        self.option_class = option_class
        self.option_type = option_type
        self.size = size
        self.runs = runs
        self.masked = masked

    def read(self, flow: int) -> int:
        """Return the option's octets in `flow` as a number."""
        value = 0
        for offset, size in self.runs:
            shift = _OPTIONS.shift + 8 * (TUN_METADATA_BYTES - offset - size)
            value = value << 8 * size | flow >> shift & (1 << 8 * size) - 1
        return value

    def write(self, flow: int, value: int) -> int:
        """Return `flow` with the option's octets set."""
        for offset, size in reversed(self.runs):
            shift = _OPTIONS.shift + 8 * (TUN_METADATA_BYTES - offset - size)
            ones = (1 << 8 * size) - 1
            flow = flow & ~(ones << shift) | (value & ones) << shift
            value >>= 8 * size
        return flow


class TunTable:
    """A bridge's table, or a match's own layout (`is_local`)."""

    __slots__ = ("entries", "is_local")

    def __init__(
        self, entries: dict[int, Entry] | None = None, is_local: bool = False
    ) -> None:
        self.entries = entries or {}
        self.is_local = is_local

    def read(self, flow: int, index: int) -> int:
        """Return field `index` of `flow`; 0 if it isn't mapped."""
        entry = self.entries.get(index)
        return entry.read(flow) if entry else 0

    def write(self, flow: int, index: int, value: int) -> int:
        """Return `flow` with field `index` set and present; unchanged if unmapped."""
        entry = self.entries.get(index)
        if entry is None:
            return flow
        return entry.write(flow, value) | 1 << _PRESENT.shift + index

    def added(self, mappings: Iterable[tuple[int, int, int, int]]) -> TunTable:
        """Return the table with (class, type, size, index) mappings added.

        Raises:
            TunMetadataError: a NXTTMFC_* error.
        """
        entries = dict(self.entries)
        for option_class, option_type, size, index in mappings:
            if not 0 <= index < N_FIELDS:
                raise TunMetadataError("NXTTMFC_BAD_FIELD_IDX")
            if index in entries:
                raise TunMetadataError("NXTTMFC_ALREADY_MAPPED")
            key = (option_class, option_type)
            if any((e.option_class, e.option_type) == key for e in entries.values()):
                raise TunMetadataError("NXTTMFC_DUP_ENTRY")
            runs = _allocate(entries, size)
            entries[index] = Entry(option_class, option_type, size, runs)
        return TunTable(dict(sorted(entries.items())))

    def without(self, indexes: Iterable[int]) -> TunTable:
        """Return the table without the mappings of `indexes`."""
        gone = set(indexes)
        return TunTable(
            {index: e for index, e in self.entries.items() if index not in gone}
        )

    def used(self) -> int:
        """Return how many octets are allocated."""
        return sum(entry.size for entry in self.entries.values())

    def with_local(self, index: int, size: int, masked: bool) -> TunTable:
        """Return a match's own layout with field `index` at its end.

        Raises:
            ValueError: with the text for the user.
        """
        used = self.used()
        if used + size > TUN_METADATA_BYTES:
            raise ValueError(
                f"field tun_metadata{index} exceeds maximum size for tunnel metadata "
                f"(used {used + size}, max {TUN_METADATA_BYTES})"
            )
        if index in self.entries:
            raise ValueError(f"field tun_metadata{index} set multiple times")
        entry = Entry(0, 0, size, ((used, size),), masked)
        return TunTable({**self.entries, index: entry}, is_local=True)


def _allocate(entries: dict[int, Entry], size: int) -> tuple[tuple[int, int], ...]:
    """Return runs of free octets: one if it fits, else the largest holes."""
    free = [True] * _N_WORDS
    for entry in entries.values():
        for offset, length in entry.runs:
            for word in range(offset // 4, (offset + length) // 4):
                free[word] = False
    runs = []
    left = size // 4
    while left:
        start, length = _best_hole(free, left)
        if not length:
            raise TunMetadataError("NXTTMFC_TABLE_FULL")
        free[start : start + length] = [False] * length
        runs.append((4 * start, 4 * length))
        left -= length
    return tuple(runs)


def _best_hole(free: list[bool], wanted: int) -> tuple[int, int]:
    """Return (start, length) of the first hole of `wanted` words or of the largest."""
    best = (0, 0)
    at = 0
    while at < _N_WORDS:
        if not free[at]:
            at += 1
            continue
        start = at
        while at < _N_WORDS and at - start < wanted and free[at]:
            at += 1
        if at - start == wanted:
            return start, wanted
        if at - start > best[1]:
            best = (start, at - start)
    return best


def present(flow: int) -> int:
    """Return the bitmap of the fields that `flow` has (or, for a mask, matches on)."""
    return _PRESENT.get(flow)


def members(bitmap: int) -> Iterable[int]:
    """Yield the indexes of a bitmap's ones, lowest first."""
    while bitmap:
        lowest = bitmap & -bitmap
        yield lowest.bit_length() - 1
        bitmap ^= lowest


def natural_size(value: int, mask: int, full: int) -> tuple[int, bool]:
    """Return (octets, masked) for a value and mask given without a table.

    The size is the least that loses no one of the value nor of a mask.
    """
    if mask == full:
        return (value.bit_length() + 7) // 8, False
    return ((value | mask).bit_length() + 7) // 8, True
