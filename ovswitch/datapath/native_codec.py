# SPDX-License-Identifier: Apache-2.0
"""Keys and masks between attributes and integers, by the C core.

The fast twin of `odp.key_decode` and `odp.key_encode`, for the way of each new flow.
"""

from __future__ import annotations

from ovswitch.native import core


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
        return core.mask_to_attrs(flow, mask)
