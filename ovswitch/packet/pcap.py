# SPDX-License-Identifier: Apache-2.0
"""Capture files in the libpcap format, read and written as octets.

Both byte orders and both time units are read, of Ethernet frames and of Linux "cooked"
ones; what is written is Ethernet in host byte order. Nothing here opens a file: give
it the octets.
Source: the libpcap file format (draft-ietf-opsawg-pcap).
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1),
    b"\xd4\xc3\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1000),
}
_FILE_HEADER_SIZE = 24
_MAX_PACKET = 65535
LINKTYPE_ETHERNET = 1
LINKTYPE_LINUX_SLL = 113
_SLL = Struct("!HHH6s2s2s")


EOF = -1
_EPROTO = 71


class PcapError(ValueError):
    """The octets are no capture file, or a packet in it can't be.

    Attributes:
        number: an errno, or EOF where the octets end too early.
        in_header: whether the file's own header is wrong.
    """

    def __init__(
        self, text: str, number: int = _EPROTO, *, in_header: bool = False
    ) -> None:
        super().__init__(text)
        self.number = number
        self.in_header = in_header


def read(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (time in microseconds, packet) for each packet of a capture file.

    An incomplete record header at the end is no fault.

    Raises: PcapError: at the first fault; packets before it have been yielded.
    """
    if len(octets) < _FILE_HEADER_SIZE:
        text = "failed to read pcap header: End of file"
        raise PcapError(text, EOF, in_header=True)
    order = _MAGICS.get(octets[:4])
    if order is None:
        magic = int.from_bytes(octets[:4], "little")
        raise PcapError(
            f"bad magic 0x{magic:08x} reading pcap file "
            "(expected 0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, or 0x4d3cb2a1)",
            in_header=True,
        )
    endian, units_per_us = order
    (network,) = Struct(endian + "I").unpack_from(octets, 20)
    if network not in (LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL):
        text = f"unknown network type {network} reading pcap file"
        raise PcapError(text, in_header=True)
    record = Struct(endian + "IIII")
    at = _FILE_HEADER_SIZE
    while len(octets) - at >= record.size:
        seconds, fraction, size, _original = record.unpack_from(octets, at)
        at += record.size
        if size > _MAX_PACKET:
            raise PcapError(f"bad packet length {size} reading pcap file")
        if len(octets) - at < size:
            raise PcapError("failed to read pcap packet: End of file", EOF)
        packet = octets[at : at + size]
        at += size
        if network == LINKTYPE_LINUX_SLL:
            packet = _from_cooked(packet)
        yield seconds * 1_000_000 + fraction // units_per_us, packet


def _from_cooked(packet: bytes) -> bytes:
    """Return the Ethernet frame of a cooked one, which has lost its destination."""
    if len(packet) < _SLL.size:
        raise PcapError("pcap packet too short for SLL header")
    _type, _hardware, address_size, source, _pad, protocol = _SLL.unpack_from(packet)
    if address_size != 6:
        raise PcapError("bad SLL header")
    header: bytes = bytes(6) + source + protocol
    return header + packet[_SLL.size :]


def file_header() -> bytes:
    """Return what a capture file begins with."""
    return Struct("=IHHiIII").pack(0xA1B2C3D4, 2, 4, 0, 0, 1518, LINKTYPE_ETHERNET)


def record(time_us: int, packet: bytes) -> bytes:
    """Return one packet as it stands in the file."""
    seconds, us = divmod(time_us, 1_000_000)
    return Struct("=IIII").pack(seconds, us, len(packet), len(packet)) + packet
