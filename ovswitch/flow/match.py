# SPDX-License-Identifier: Apache-2.0
"""A match: which flows a rule is about.

`Match(value, mask)` holds for a flow when ``flow & mask == value``; `value` has no bit
outside `mask`. Matches are immutable and hashable, so that they can be dictionary keys.

`tun` says where `tun_metadataN` stand, in a match that has any: the bridge's table or,
without one, the match's own layout. It is no part of the match's identity.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.fields import Field
    from ovswitch.flow.tun_metadata import TunTable


class Match:
    """A pair of integers over the flow structure."""

    __slots__ = ("mask", "tun", "value")

    value: int
    mask: int
    tun: TunTable | None

    def __init__(
        self, value: int = 0, mask: int = 0, tun: TunTable | None = None
    ) -> None:
        self.value = value & mask
        self.mask = mask
        self.tun = tun

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Match):
            return NotImplemented
        return self.value == other.value and self.mask == other.mask

    def __hash__(self) -> int:
        return hash((self.value, self.mask))

    def __repr__(self) -> str:
        return f"Match({self.value:#x}, {self.mask:#x})"

    def holds(self, flow: int) -> bool:
        """Return whether `flow` satisfies the match."""
        return flow & self.mask == self.value

    def covers(self, other: Match) -> bool:
        """Return whether every flow of `other` is one of this match's flows."""
        return (
            other.mask & self.mask == self.mask
            and other.value & self.mask == self.value
        )

    def overlaps(self, other: Match) -> bool:
        """Return whether some flow satisfies both matches."""
        return not (self.value ^ other.value) & self.mask & other.mask

    def with_field(self, field: Field, value: int, mask: int | None = None) -> Match:
        """Return this match with a field's bits set, as they stand in the flow.

        Args:
            field: a field with a fixed place (not `tun_metadataN`).
            value: the field's value, right-aligned.
            mask: which of its bits count; None for all.
        """
        ones = field.ones if mask is None else mask & field.ones
        bits = ones << field.shift
        kept = self.mask & ~field.mask
        return Match(
            self.value & kept | (value & ones) << field.shift, kept | bits, self.tun
        )

    def without(self, mask: int) -> Match:
        """Return this match with the bits of `mask` wildcarded."""
        kept = self.mask & ~mask
        return Match(self.value & kept, kept, self.tun)


MATCH_ALL = Match()
