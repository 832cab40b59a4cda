# SPDX-License-Identifier: Apache-2.0
"""Keys and masks between attributes and integers, by the C core.

The fast twin of `odp.key_decode` and `odp.key_encode`, for the way of each new flow.
"""

from __future__ import annotations

from ovswitch.flow.layout import NW_FRAG_ANY, NW_FRAG_LATER, SLOTS
from ovswitch.native import core

_NW_FRAG = SLOTS["nw_frag"]
_ANY = NW_FRAG_ANY << _NW_FRAG.shift
_FRAG_MASK = (NW_FRAG_ANY | NW_FRAG_LATER) << _NW_FRAG.shift


class NativeCodec:
    """Translates between the datapath's attributes and flows."""

    __slots__ = ()

    def to_flow(self, key: bytes) -> int:
        """Return the flow of a key. Raises: ValueError: it is malformed."""
        return core.key_from_attrs(key)

    def to_mask(self, mask: bytes, flow: int) -> int:
        """Return the mask that goes with a flow. Raises: ValueError."""
        return core.mask_from_attrs(mask, flow)

    def from_flow(self, flow: int) -> bytes:
        """Return a flow's key."""
        return core.key_to_attrs(flow)

    def from_mask(self, mask: int, flow: int) -> bytes:
        """Return a mask's attributes, which go with `flow`."""
        if mask & _NW_FRAG.mask:
            # A match on "any fragment" alone can only be said as one on the kind.
            frag = _FRAG_MASK if mask & _ANY else 0
            mask = mask & ~_NW_FRAG.mask | frag
        return core.mask_to_attrs(flow, mask)


def set_native_vlan_limit(limit: int) -> None:
    """Have keys show at most `limit` VLAN headers, 0 to 2, in this process."""
    core.set_vlan_limit(limit)
