# SPDX-License-Identifier: Apache-2.0
"""Reading and writing octets in network order.

A `Cursor` walks over octets; what it is asked for must be there in full, else it raises
the protocol error that it was made with and stays where it was. Nothing here copies
more than it returns.

Properties are the type-length-value form that OpenFlow 1.4+ and Nicira's extensions
use nearly everywhere (OpenFlow 1.5.1 §7.1.3): a type, a length that counts the header
but not the padding, the value, padding to a multiple of eight octets.
"""

from __future__ import annotations

import struct

from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_U16 = struct.Struct("!H")
_U32 = struct.Struct("!I")
_U64 = struct.Struct("!Q")
_2U16 = struct.Struct("!HH")
_2U32 = struct.Struct("!II")

PROPERTY_HEADER = 4
EXPERIMENTER_HEADER = 12
_EXPERIMENTER = 0xFFFF


class Cursor:
    """A place in a run of octets.

    Attributes:
        octets: what is read.
        offset: where the next octet is taken from.
        end: where reading must stop.
        error: name of the protocol error for "too short".
    """

    __slots__ = ("end", "error", "octets", "offset")

    def __init__(
        self,
        octets: bytes,
        offset: int = 0,
        end: int | None = None,
        error: str = "OFPBRC_BAD_LEN",
    ) -> None:
        self.octets = octets
        self.offset = offset
        self.end = len(octets) if end is None else end
        self.error = error

    @property
    def left(self) -> int:
        """How many octets remain."""
        return self.end - self.offset

    def _advance(self, size: int) -> int:
        offset = self.offset
        if size > self.end - offset or size < 0:
            raise OpenFlowError(self.error)
        self.offset = offset + size
        return offset

    def u8(self) -> int:
        """Take one octet."""
        return self.octets[self._advance(1)]

    def u16(self) -> int:
        """Take two octets as an unsigned number."""
        value: int = _U16.unpack_from(self.octets, self._advance(2))[0]
        return value

    def u32(self) -> int:
        """Take four octets as an unsigned number."""
        value: int = _U32.unpack_from(self.octets, self._advance(4))[0]
        return value

    def u64(self) -> int:
        """Take eight octets as an unsigned number."""
        value: int = _U64.unpack_from(self.octets, self._advance(8))[0]
        return value

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        """Take the fields of a `Struct`."""
        return form.unpack_from(self.octets, self._advance(form.size))

    def take(self, size: int) -> bytes:
        """Take `size` octets."""
        offset = self._advance(size)
        return self.octets[offset : offset + size]

    def skip(self, size: int) -> None:
        """Pass over `size` octets."""
        self._advance(size)

    def sub(self, size: int, error: str | None = None) -> Cursor:
        """Take `size` octets as a cursor of their own."""
        offset = self._advance(size)
        return Cursor(self.octets, offset, offset + size, error or self.error)

    def rest(self) -> bytes:
        """Take all that remains."""
        offset, self.offset = self.offset, self.end
        return self.octets[offset : self.end]

    def peek(self) -> bytes:
        """Return all that remains without taking it."""
        return self.octets[self.offset : self.end]


def pad(size: int, multiple: int = 8) -> int:
    """Return how many octets bring `size` up to a multiple."""
    return -size % multiple


def padded(octets: bytes, multiple: int = 8) -> bytes:
    """Return `octets` followed by zeros up to a multiple."""
    return octets + bytes(-len(octets) % multiple)


class Property:
    """One property: its type and its octets.

    `type` is the number in the header, or for an experimenter's property the pair
    (experimenter, experimenter's type) as one number, experimenter in the high 32 bits.
    """

    __slots__ = ("header_size", "octets", "type")

    def __init__(self, kind: int, octets: bytes, header_size: int) -> None:
        self.type = kind
        self.octets = octets
        self.header_size = header_size

    @property
    def payload(self) -> bytes:
        """What follows the header."""
        return self.octets[self.header_size :]

    def u8(self) -> int:
        """Return the value as 8 bits, whatever may stand behind them."""
        if len(self.octets) < self.header_size + 1:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        return self.octets[self.header_size]

    def u16(self) -> int:
        """Return the value as 16 bits, whatever may stand behind them."""
        if len(self.octets) < self.header_size + 2:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        value: int = _U16.unpack_from(self.octets, self.header_size)[0]
        return value

    def u32(self) -> int:
        """Return the value, exactly 32 bits."""
        if len(self.octets) != self.header_size + 4:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        value: int = _U32.unpack_from(self.octets, self.header_size)[0]
        return value

    def u64(self) -> int:
        """Return the value, exactly 64 bits, aligned to eight octets."""
        start = self.header_size + -self.header_size % 8
        if len(self.octets) != start + 8:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        value: int = _U64.unpack_from(self.octets, start)[0]
        return value

    def nested(self) -> bytes:
        """Return the properties inside, which begin at a multiple of eight octets."""
        start = self.header_size + -self.header_size % 8
        if len(self.octets) < start:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        return self.octets[start:]


def properties(
    octets: bytes, alignment: int = 8, min_experimenter: int = _EXPERIMENTER
) -> Iterator[Property]:
    """Yield the properties in `octets`.

    Args:
        octets: properties end to end.
        alignment: to which each is padded.
        min_experimenter: types from here up have an experimenter's header.

    Raises:
        OpenFlowError: OFPBPC_BAD_LEN, OFPBPC_BAD_EXPERIMENTER.
    """
    offset, end = 0, len(octets)
    while offset < end:
        if end - offset < PROPERTY_HEADER:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        kind, size = _2U16.unpack_from(octets, offset)
        total = size + -size % alignment
        if size < PROPERTY_HEADER or total > end - offset:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        header = PROPERTY_HEADER
        if kind >= min_experimenter:
            if size < EXPERIMENTER_HEADER:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            experimenter, number = _2U32.unpack_from(octets, offset + 4)
            if not experimenter:
                raise OpenFlowError("OFPBPC_BAD_EXPERIMENTER")
            kind = experimenter << 32 | number
            header = EXPERIMENTER_HEADER
        yield Property(kind, octets[offset : offset + size], header)
        offset += total


def unknown_property(kind: int) -> OpenFlowError:
    """Return the error for a property that isn't known where it stands."""
    if kind >> 32:
        return OpenFlowError("OFPBPC_BAD_EXP_TYPE")
    return OpenFlowError("OFPBPC_BAD_TYPE")


def put_property(kind: int, payload: bytes = b"", alignment: int = 8) -> bytes:
    """Return a property's octets, padded."""
    if kind >> 32:
        size = EXPERIMENTER_HEADER + len(payload)
        header = _2U16.pack(_EXPERIMENTER, size) + _U64.pack(kind)
    else:
        size = PROPERTY_HEADER + len(payload)
        header = _2U16.pack(kind, size)
    return header + payload + bytes(-size % alignment)


def put_u16(kind: int, value: int) -> bytes:
    """Return a property of 16 bits (its length says 8: two octets are padding)."""
    return put_property(kind, _U16.pack(value) + (b"" if kind >> 32 else b"\0\0"))


def put_u32(kind: int, value: int) -> bytes:
    """Return a property of 32 bits."""
    return put_property(kind, _U32.pack(value))


def put_u64(kind: int, value: int) -> bytes:
    """Return a property of 64 bits, padded in front to a multiple of eight octets."""
    return put_property(kind, bytes(4) + _U64.pack(value))


def put_nested(kind: int, inner: bytes) -> bytes:
    """Return a property that holds properties."""
    return put_property(kind, bytes(4) + inner)
