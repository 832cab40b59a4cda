# SPDX-License-Identifier: Apache-2.0
"""What all messages share.

A message is a plain object; `xid` and `version` are those it arrived with. It goes to
octets with ``encode(protocol, xid)``: the protocol is a bit of `protocol`, which
implies the version. Statistics replies are lists of entries instead, which `codec`
cuts into as many messages as they need.
"""

from __future__ import annotations

from ovswitch.flow.names import OFPP_MAX, port_from_ofp11
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow import raws
from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.tun_metadata import TunTable

U16 = 0xFFFF
U32 = 0xFFFFFFFF
U64 = 0xFFFFFFFFFFFFFFFF

OFPTT_ALL = 0xFF
OFPG_ANY = 0xFFFFFFFF
NO_BUFFER = U32


def port_number(number: int) -> int:
    """Return the 16-bit port for one of OpenFlow 1.1 on the wire.

    Raises:
        OpenFlowError: OFPBAC_BAD_OUT_PORT.
    """
    port = port_from_ofp11(number)
    if port is None:
        raise OpenFlowError("OFPBAC_BAD_OUT_PORT")
    return port


class Context:
    """What decoding depends on beside the octets.

    Attributes:
        protocol: in effect on the connection; 0 for whatever the version begins with,
            table numbers in flow mods included.
        tun: the bridge's TLV table, None to let matches bring their own layout.
        max_ports: ports from here up don't exist.
        n_tables: tables from here up don't exist.
        flow_age: whether the peer sends Nicira's flow ages.
    """

    __slots__ = ("flow_age", "max_ports", "n_tables", "protocol", "tun")

    def __init__(
        self,
        protocol: int = 0,
        tun: TunTable | None = None,
        max_ports: int = OFPP_MAX,
        n_tables: int = 255,
        flow_age: bool = True,
    ) -> None:
        self.protocol = protocol
        self.tun = tun
        self.max_ports = max_ports
        self.n_tables = n_tables
        self.flow_age = flow_age

    def protocol_for(self, version: int) -> int:
        """Return the protocol in effect for a message of `version`."""
        if self.protocol and protocols.version_of(self.protocol) == version:
            return self.protocol
        return protocols.set_tid(protocols.first_of_version(version), True)


DEFAULT_CONTEXT = Context()


class Message:
    """The base of all messages.

    Attributes:
        type: which message, by the reference's name.
        xid, version: as received; 0 in one that was made here.
    """

    __slots__ = ("version", "xid")

    type = ""
    xid: int
    version: int

    def received(self, header: raws.Header) -> None:
        """Note the headers that the message came with."""
        self.xid = header.xid
        self.version = header.version

    def encode(self, protocol: int, xid: int = 0) -> bytes:
        """Return the message's octets.

        Raises:
            LookupError: the protocol can't say it.
        """
        version = protocols.version_of(protocol)
        form, body = self.body(version, protocol)
        return raws.put(raws.find(self.type, version, form), version, xid, body)

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return which form to use ("": the standard's) and the body."""
        raise LookupError(self.type)

    def __repr__(self) -> str:
        slots = [
            name
            for cls in type(self).__mro__
            for name in getattr(cls, "__slots__", ())
            if hasattr(self, name)
        ]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in slots)
        return f"{type(self).__name__}({values})"


class RawMessage(Message):
    """A message whose body is left as it is.

    Attributes:
        raw: which message, and which form of it.
        octets: the body.
        flags: of a statistics message.
    """

    __slots__ = ("flags", "octets", "raw")

    def __init__(self, raw: raws.Raw, octets: bytes = b"", flags: int = 0) -> None:
        self.raw = raw
        self.octets = octets
        self.flags = flags
        self.xid = self.version = 0

    @property
    def name(self) -> str:
        """The message's name as it is printed."""
        return self.raw.name

    def encode(self, protocol: int, xid: int = 0) -> bytes:
        """Return the message's octets."""
        version = protocols.version_of(protocol)
        return raws.put(self.raw, version, xid, self.octets, self.flags)


class Empty(Message):
    """A message without a body."""

    __slots__ = ()

    def __init__(self) -> None:
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the body: nothing."""
        return "", b""
