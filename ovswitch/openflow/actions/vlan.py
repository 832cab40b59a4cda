# SPDX-License-Identifier: Apache-2.0
"""VLAN headers.

OpenFlow 1.0 pushes a header when it sets a VLAN id or priority and there is none; later
versions push explicitly. So the old actions remember whether the flow has a header
(`check()` finds out), for them to be said in a later version.
"""

from __future__ import annotations

from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import (
    ETH_TYPE_VLAN_8021AD,
    ETH_TYPE_VLAN_8021Q,
)
from ovswitch.openflow.actions.set_field import put_field
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, u8, u16
from ovswitch.openflow.protocol import OF11_UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

VLAN_CFI = 0x1000
VLAN_VID_MASK = 0xFFF


def _push_if_needed(
    push_vlan_if_needed: bool, flow_has_vlan: bool, version: int
) -> bytes:
    """Return the push that goes before a setting in OpenFlow 1.1+."""
    if version == 1 or not push_vlan_if_needed or flow_has_vlan:
        return b""
    return raws.put_number("push_vlan", version, ETH_TYPE_VLAN_8021Q)


def _check_setting(push_vlan_if_needed: bool, checking: Checking) -> bool:
    """Return whether the flow has a VLAN header; it has one from here on."""
    has_vlan = checking.has_vlan
    if not has_vlan and not push_vlan_if_needed:
        checking.inconsistent()
    checking.add_vlan()
    return has_vlan


class SetVlanVid(Action):
    """Set the VLAN id.

    Attributes:
        vlan_vid: the id.
        push_vlan_if_needed: whether a missing header is pushed (OpenFlow 1.0's way).
        flow_has_vlan: whether the header is known to be there.
    """

    __slots__ = ("flow_has_vlan", "push_vlan_if_needed", "vlan_vid")
    keyword = "set_vlan_vid"

    def __init__(
        self,
        vlan_vid: int,
        push_vlan_if_needed: bool = False,
        flow_has_vlan: bool = False,
    ) -> None:
        self.vlan_vid = vlan_vid
        self.push_vlan_if_needed = push_vlan_if_needed
        self.flow_has_vlan = flow_has_vlan

    def encode(self, version: int) -> bytes:  # noqa: D102
        push = _push_if_needed(self.push_vlan_if_needed, self.flow_has_vlan, version)
        if version <= 2:
            name = "set_vlan_vid10" if version == 1 else "set_vlan_vid11"
            return push + raws.put_number(name, version, self.vlan_vid)
        return push + put_field(version, "vlan_vid", self.vlan_vid | VLAN_CFI)

    def format(self, printing: Printing) -> str:  # noqa: D102
        name = "mod_vlan_vid" if self.push_vlan_if_needed else "set_vlan_vid"
        return f"{colors.param}{name}:{colors.end}{self.vlan_vid}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        has_vlan = _check_setting(self.push_vlan_if_needed, checking)
        if has_vlan == self.flow_has_vlan:
            return self
        return SetVlanVid(self.vlan_vid, self.push_vlan_if_needed, has_vlan)


class SetVlanPcp(Action):
    """Set the VLAN priority; the other attributes are as in `SetVlanVid`."""

    __slots__ = ("flow_has_vlan", "push_vlan_if_needed", "vlan_pcp")
    keyword = "set_vlan_pcp"

    def __init__(
        self,
        vlan_pcp: int,
        push_vlan_if_needed: bool = False,
        flow_has_vlan: bool = False,
    ) -> None:
        self.vlan_pcp = vlan_pcp
        self.push_vlan_if_needed = push_vlan_if_needed
        self.flow_has_vlan = flow_has_vlan

    def encode(self, version: int) -> bytes:  # noqa: D102
        push = _push_if_needed(self.push_vlan_if_needed, self.flow_has_vlan, version)
        if version <= 2:
            name = "set_vlan_pcp10" if version == 1 else "set_vlan_pcp11"
            return push + raws.put_number(name, version, self.vlan_pcp)
        return push + put_field(version, "vlan_pcp", self.vlan_pcp)

    def format(self, printing: Printing) -> str:  # noqa: D102
        name = "mod_vlan_pcp" if self.push_vlan_if_needed else "set_vlan_pcp"
        return f"{colors.param}{name}:{colors.end}{self.vlan_pcp}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        has_vlan = _check_setting(self.push_vlan_if_needed, checking)
        if has_vlan == self.flow_has_vlan:
            return self
        return SetVlanPcp(self.vlan_pcp, self.push_vlan_if_needed, has_vlan)


class StripVlan(Action):
    """Remove the outermost VLAN header if there is one.

    Attributes:
        is_pop: whether it is written `pop_vlan`.
    """

    __slots__ = ("is_pop",)
    keyword = "strip_vlan"

    def __init__(self, is_pop: bool = False) -> None:
        self.is_pop = is_pop

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("strip_vlan10" if version == 1 else "pop_vlan", version)

    def format(self, printing: Printing) -> str:  # noqa: D102
        name = "pop_vlan" if self.is_pop else "strip_vlan"
        return f"{colors.value}{name}{colors.end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if not checking.has_vlan:
            checking.inconsistent()
        checking.pop_vlan()
        return self


class PushVlan(Action):
    """Push a VLAN header."""

    __slots__ = ("ethertype",)
    keyword = "push_vlan"

    def __init__(self, ethertype: int) -> None:
        self.ethertype = ethertype

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            return b""  # the setting that follows pushes
        return raws.put_number("push_vlan", version, self.ethertype)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}push_vlan:{colors.end}{self.ethertype:#x}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if not checking.push_vlan():
            raise OpenFlowError("OFPBAC_BAD_TAG")
        return self


def is_vlan_ethertype(ethertype: int) -> bool:
    """Return whether `ethertype` is that of a VLAN header."""
    return ethertype in (ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD)


def _parse_vid(text: str, push: bool) -> Action:
    vid = u16(text, "VLAN VID")
    if vid & ~VLAN_VID_MASK:
        raise ParseError(f"{text}: not a valid VLAN VID")
    return SetVlanVid(vid, push)


def _parse_pcp(text: str, push: bool) -> Action:
    pcp = u8(text, "VLAN PCP")
    if pcp & ~7:
        raise ParseError(f"{text}: not a valid VLAN PCP")
    return SetVlanPcp(pcp, push)


def _parse_push(text: str, parsing: Parsing) -> Action:
    parsing.protocols &= OF11_UP
    ethertype = u16(text, "ethertype")
    if not is_vlan_ethertype(ethertype):
        raise ParseError(f"{text}: not a valid VLAN ethertype")
    return PushVlan(ethertype)


PARSERS: dict[str, Parser] = {
    "set_vlan_vid": lambda text, parsing: _parse_vid(text, False),
    "mod_vlan_vid": lambda text, parsing: _parse_vid(text, True),
    "set_vlan_pcp": lambda text, parsing: _parse_pcp(text, False),
    "mod_vlan_pcp": lambda text, parsing: _parse_pcp(text, True),
    "strip_vlan": lambda text, parsing: StripVlan(),
    "pop_vlan": lambda text, parsing: StripVlan(True),
    "push_vlan": _parse_push,
}


def _vid(number: int, push: bool) -> Action:
    if number & ~VLAN_VID_MASK:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetVlanVid(number, push)


def _pcp(number: int, push: bool) -> Action:
    if number & ~7:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetVlanPcp(number, push)


def _push(octets: bytes, number: int, version: int) -> Action:
    if not is_vlan_ethertype(number):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return PushVlan(number)


DECODERS: dict[str, Decoder] = {
    "set_vlan_vid10": lambda octets, number, version: _vid(number, True),
    "set_vlan_vid11": lambda octets, number, version: _vid(number, False),
    "set_vlan_pcp10": lambda octets, number, version: _pcp(number, True),
    "set_vlan_pcp11": lambda octets, number, version: _pcp(number, False),
    "strip_vlan10": lambda octets, number, version: StripVlan(),
    "pop_vlan": lambda octets, number, version: StripVlan(True),
    "push_vlan": _push,
}
