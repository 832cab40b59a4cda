# SPDX-License-Identifier: Apache-2.0
"""MPLS labels."""

from __future__ import annotations

from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST
from ovswitch.openflow.actions.set_field import put_field
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, u8, u16, u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

LABEL_MASK = 0xFFFFF


class _SetMpls(Action):
    """Change the outermost label."""

    __slots__ = ()

    def check(self, checking: Checking) -> Action:
        if not checking.is_mpls:
            checking.inconsistent()
        return self

    def _format(self, number: int) -> str:
        paren, end = colors.paren, colors.end
        return f"{paren}{self.keyword}({end}{number}{paren}){end}"


class SetMplsLabel(_SetMpls):
    """Set the outermost label."""

    __slots__ = ("label",)
    keyword = "set_mpls_label"

    def __init__(self, label: int) -> None:
        self.label = label

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version < 3:
            return raws.put_number("set_mpls_label", version, self.label)
        return put_field(version, "mpls_label", self.label)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return self._format(self.label)


class SetMplsTc(_SetMpls):
    """Set the outermost label's traffic class."""

    __slots__ = ("tc",)
    keyword = "set_mpls_tc"

    def __init__(self, tc: int) -> None:
        self.tc = tc

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version < 3:
            return raws.put_number("set_mpls_tc", version, self.tc)
        return put_field(version, "mpls_tc", self.tc)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return self._format(self.tc)


class SetMplsTtl(_SetMpls):
    """Set the outermost label's time to live."""

    __slots__ = ("ttl",)
    keyword = "set_mpls_ttl"

    def __init__(self, ttl: int) -> None:
        self.ttl = ttl

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put_number("set_mpls_ttl", version, self.ttl)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return self._format(self.ttl)


class DecMplsTtl(_SetMpls):
    """Decrement the outermost label's time to live."""

    __slots__ = ()
    keyword = "dec_mpls_ttl"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("dec_mpls_ttl", version)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.value}dec_mpls_ttl{colors.end}"


class PushMpls(Action):
    """Push a label."""

    __slots__ = ("ethertype",)
    keyword = "push_mpls"

    def __init__(self, ethertype: int) -> None:
        self.ethertype = ethertype

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put_number("push_mpls", version, self.ethertype)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}push_mpls:{colors.end}0x{self.ethertype:04x}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if checking.packet_type:
            checking.inconsistent()
        checking.set_dl_type(self.ethertype)
        checking.set_nw_proto(0)  # what is behind the label is out of reach
        return self


class PopMpls(Action):
    """Pop the outermost label; the packet is `ethertype` then."""

    __slots__ = ("ethertype",)
    keyword = "pop_mpls"

    def __init__(self, ethertype: int) -> None:
        self.ethertype = ethertype

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put_number("pop_mpls", version, self.ethertype)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}pop_mpls:{colors.end}0x{self.ethertype:04x}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if checking.packet_type or not checking.is_mpls:
            checking.inconsistent()
        checking.set_dl_type(self.ethertype)
        return self


def _parse_label(text: str, parsing: Parsing) -> Action:
    if not text:
        raise ParseError("set_mpls_label: expected label.")
    label = u32(text)
    if label & ~LABEL_MASK:
        raise ParseError(f"{text}: not a valid MPLS label")
    return SetMplsLabel(label)


def _parse_tc(text: str, parsing: Parsing) -> Action:
    if not text:
        raise ParseError("set_mpls_tc: expected tc.")
    tc = u8(text, "MPLS TC")
    if tc & ~7:
        raise ParseError(f"{text}: not a valid MPLS TC")
    return SetMplsTc(tc)


def _parse_ttl(text: str, parsing: Parsing) -> Action:
    if not text:
        raise ParseError("set_mpls_ttl: expected ttl.")
    return SetMplsTtl(u8(text, "MPLS TTL"))


PARSERS: dict[str, Parser] = {
    "set_mpls_label": _parse_label,
    "set_mpls_tc": _parse_tc,
    "set_mpls_ttl": _parse_ttl,
    "dec_mpls_ttl": lambda text, parsing: DecMplsTtl(),
    "push_mpls": lambda text, parsing: PushMpls(u16(text, "push_mpls")),
    "pop_mpls": lambda text, parsing: PopMpls(u16(text, "pop_mpls")),
}


def _decode_push(octets: bytes, number: int, version: int) -> Action:
    if number not in (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return PushMpls(number)


DECODERS: dict[str, Decoder] = {
    "set_mpls_label": lambda octets, number, version: SetMplsLabel(number),
    "set_mpls_tc": lambda octets, number, version: SetMplsTc(number),
    "set_mpls_ttl": lambda octets, number, version: SetMplsTtl(number),
    "dec_mpls_ttl": lambda octets, number, version: DecMplsTtl(),
    "push_mpls": _decode_push,
    "pop_mpls": lambda octets, number, version: PopMpls(number),
}
