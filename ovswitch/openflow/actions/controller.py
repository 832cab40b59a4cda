# SPDX-License-Identifier: Apache-2.0
"""controller: packets to controllers, with all that can be said about it."""

from __future__ import annotations

import struct

from ovswitch.flow.names import OFPP_CONTROLLER
from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.output import Output
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import (
    ParseError,
    hex_octets,
    key_values,
    u16,
    u32,
)
from ovswitch.openflow.wire import (
    properties,
    put_property,
    put_u16,
    put_u32,
    unknown_property,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Parsing, Printing

OFPR_ACTION = 1
REASONS = ("no_match", "action", "invalid_ttl", "action_set", "group", "packet_out")
NX_CTLR_NO_METER = 0

# Properties of the newer form.
_MAX_LEN, _CONTROLLER_ID, _REASON, _USERDATA, _PAUSE, _METER_ID = range(6)

_CONTROLLER = struct.Struct("!HHB")


def reason_to_string(reason: int) -> str:
    """Return the name of a packet-in's reason, or its number."""
    if reason < len(REASONS):
        return REASONS[reason]
    return "" if reason < len(REASONS) + 2 else str(reason)


def format_hex(octets: bytes) -> str:
    """Return octets as "01.02.ff"."""
    return octets.hex(".") if octets else ""


class Controller(Action):
    """Send the packet to the controllers with `controller_id`.

    Attributes:
        max_len: octets of the packet to send; 0xffff: all.
        reason: OFPR_*, told to the controller.
        userdata: told to the controller.
        pause: whether the pipeline stops until the controller resumes the packet.
        meter_id: of the meter that limits the rate, or NX_CTLR_NO_METER.
        form: 2 if it came in the newer of two wire forms.
    """

    __slots__ = (
        "controller_id", "form", "max_len", "meter_id", "pause", "reason", "userdata",
    )  # fmt: skip
    keyword = "controller"

    def __init__(
        self,
        max_len: int = 0xFFFF,
        controller_id: int = 0,
        reason: int = OFPR_ACTION,
        userdata: bytes = b"",
        pause: bool = False,
        meter_id: int = NX_CTLR_NO_METER,
        form: int = 0,
    ) -> None:
        self.max_len = max_len
        self.controller_id = controller_id
        self.reason = reason
        self.userdata = userdata
        self.pause = pause
        self.meter_id = meter_id
        self.form = form

    def _needs_properties(self) -> bool:
        return bool(self.userdata or self.pause or self.meter_id)

    def encode(self, version: int) -> bytes:  # noqa: D102
        if self.form != 2 and not self._needs_properties():
            body = _CONTROLLER.pack(self.max_len, self.controller_id, self.reason)
            return raws.put("controller", version, body)
        body = bytes(6)
        if self.max_len != 0xFFFF:
            body += put_u16(_MAX_LEN, self.max_len)
        if self.controller_id:
            body += put_u16(_CONTROLLER_ID, self.controller_id)
        if self.reason != OFPR_ACTION:
            body += put_property(_REASON, bytes((self.reason,)))
        if self.userdata:
            body += put_property(_USERDATA, self.userdata)
        if self.pause:
            body += put_property(_PAUSE)
        if self.meter_id:
            body += put_u32(_METER_ID, self.meter_id)
        return raws.put("controller2", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        special, param, end = colors.special, colors.param, colors.end
        plain = self.reason == OFPR_ACTION and not self.controller_id
        if plain and not self._needs_properties():
            return f"{special}CONTROLLER:{end}{self.max_len}"
        parts = []
        if self.reason != OFPR_ACTION:
            parts.append(f"{param}reason={end}{reason_to_string(self.reason)}")
        if self.max_len != 0xFFFF:
            parts.append(f"{param}max_len={end}{self.max_len}")
        if self.controller_id:
            parts.append(f"{param}id={end}{self.controller_id}")
        if self.userdata:
            parts.append(f"{param}userdata={end}{format_hex(self.userdata)}")
        if self.pause:
            parts.append(f"{colors.value}pause{end}")
        if self.meter_id:
            parts.append(f"{param}meter_id={end}{self.meter_id}")
        paren = colors.paren
        return f"{paren}controller({end}{','.join(parts)}{paren}){end}"


def _parse_reason(text: str) -> int:
    name = text.lower()
    if name in REASONS:
        return REASONS.index(name)
    raise ParseError(f'unknown reason "{text}"')


def _parse(text: str, parsing: Parsing) -> Action:
    if not text.strip("0123456789"):
        max_len = u16(text, "max_len") if text else 0xFFFF
        return Output(OFPP_CONTROLLER, max_len)
    action = Controller()
    userdata = None
    for key, value in key_values(text):
        if key == "reason":
            action.reason = _parse_reason(value)
        elif key == "max_len":
            action.max_len = u16(value, "max_len")
        elif key == "id":
            action.controller_id = u16(value, "id")
        elif key == "userdata":
            userdata = value
        elif key == "pause":
            action.pause = True
        elif key == "meter_id":
            action.meter_id = u32(value)
        else:
            raise ParseError(f'unknown key "{key}" parsing controller action')
    if userdata is not None:
        action.userdata, rest = hex_octets(userdata)
        if rest:
            raise ParseError("bad hex digit in `controller' action `userdata'")
    plain = action.reason == OFPR_ACTION and not action.controller_id
    if plain and userdata is None and not action.pause and not action.meter_id:
        return Output(OFPP_CONTROLLER, action.max_len)
    return action


PARSERS: dict[str, Parser] = {"controller": _parse}


def _decode(octets: bytes, number: int, version: int) -> Action:
    max_len, controller_id, reason = _CONTROLLER.unpack_from(octets, 10)
    return Controller(max_len, controller_id, reason)


def _decode2(octets: bytes, number: int, version: int) -> Action:
    if any(octets[10:16]):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    action = Controller(form=2)
    for item in properties(octets[16:]):
        if item.type == _MAX_LEN:
            action.max_len = item.u16()
        elif item.type == _CONTROLLER_ID:
            action.controller_id = item.u16()
        elif item.type == _REASON:
            action.reason = item.u8()
        elif item.type == _USERDATA:
            action.userdata = item.payload
        elif item.type == _PAUSE:
            action.pause = True
        elif item.type == _METER_ID:
            action.meter_id = item.u32()
        else:
            raise unknown_property(item.type)
    return action


DECODERS: dict[str, Decoder] = {"controller": _decode, "controller2": _decode2}
