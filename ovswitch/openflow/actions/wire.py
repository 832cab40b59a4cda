# SPDX-License-Identifier: Apache-2.0
"""Lists of actions and instructions on the wire, in every version."""

from __future__ import annotations

import struct

from ovswitch.openflow.actions import instructions as inst
from ovswitch.openflow.actions import raws, verify
from ovswitch.openflow.actions.action_set import is_allowed_in_action_set
from ovswitch.openflow.actions.context import MAX_DEPTH, info_rl, warn, warn_rl
from ovswitch.openflow.actions.families import DECODERS
from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.openflow.actions.action import Action

_HEADER = struct.Struct("!HH")
_METADATA = struct.Struct("!QQ")

_depth = 0  # of the nested list that is being decoded


def _decode_list(octets: bytes, start: int, end: int, version: int) -> list[Action]:
    """Decode actions end to end, as they come."""
    actions = []
    offset = start
    try:
        while offset < end:
            raw, piece = raws.pull(octets, offset, end, version)
            if raw.deprecated:
                _tell_deprecated(raw.name, version)
            number = raws.number(raw, piece)
            actions.append(DECODERS[raw.name](piece, number, version))
            offset += len(piece)
    except OpenFlowError as error:
        _log_bad(octets[start:end], offset - start, error)
        raise
    return actions


def _tell_deprecated(name: str, version: int) -> None:
    shown = name.removesuffix("11").upper()
    info_rl(f"OFPAT_{shown} is deprecated in OpenFlow1{version - 1} (use Set-Field)")


def _log_bad(octets: bytes, offset: int, error: OpenFlowError) -> None:
    """Say in the log what was wrong and where."""
    if error.detail:
        warn_rl(error.detail)
        error.detail = ""
    from ovswitch.openflow.text.output import hex_dump

    dump = hex_dump(octets, ascii_column=False)
    warn_rl(f"bad action at offset {offset} ({error.name}):\n{dump}")


def _verify(actions: Sequence[Action], version: int, allowed: int, outer: str) -> None:
    try:
        verify.verify(actions, version, allowed, outer)
    except OpenFlowError as error:
        warn(error.detail)
        raise


def decode_nested(
    octets: bytes, start: int, version: int, outer: str
) -> tuple[Action, ...]:
    """Return the actions that an action holds, from `start` to its end.

    Raises:
        OpenFlowError: any of an action's errors; OFPBAC_BAD_ARGUMENT when actions are
            nested too deeply.
    """
    global _depth
    if _depth >= MAX_DEPTH:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    _depth += 1
    try:
        actions = _decode_list(octets, start, len(octets), version)
        _verify(actions, version, verify.ACTIONS, outer)
    finally:
        _depth -= 1
    return tuple(actions)


def decode_actions(
    octets: bytes, version: int, allowed: int = verify.ACTIONS_AND_METER
) -> tuple[Action, ...]:
    """Return the actions that `octets` hold.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, or the first wrong action's error.
    """
    if len(octets) % raws.ALIGN:
        warn_rl(f"OpenFlow message actions length {len(octets)} is not a multiple of 8")
        raise OpenFlowError("OFPBRC_BAD_LEN")
    actions = _decode_list(octets, 0, len(octets), version)
    _verify(actions, version, allowed, "")
    return tuple(actions)


#: Type and least size of each instruction; those that hold actions may be longer.
_SIZES = {
    inst.OFPIT_GOTO_TABLE: (verify.GOTO_TABLE, 8, False),
    inst.OFPIT_WRITE_METADATA: (verify.WRITE_METADATA, 24, False),
    inst.OFPIT_WRITE_ACTIONS: (verify.WRITE_ACTIONS, 8, True),
    inst.OFPIT_APPLY_ACTIONS: (verify.APPLY_ACTIONS, 8, True),
    inst.OFPIT_CLEAR_ACTIONS: (verify.CLEAR_ACTIONS, 8, False),
    inst.OFPIT_METER: (verify.METER, 8, False),
}
_EXPERIMENTER = 0xFFFF


def _split_instructions(octets: bytes, version: int) -> dict[int, bytes]:
    """Return the instructions' octets behind their headers, by kind."""
    found: dict[int, bytes] = {}
    offset, end = 0, len(octets)
    while offset < end:
        kind, size = _HEADER.unpack_from(octets, offset)
        if size % 8 or size < 8 or size > end - offset:
            raise OpenFlowError("OFPBIC_BAD_LEN")
        if kind == _EXPERIMENTER:
            raise OpenFlowError("OFPBIC_BAD_EXPERIMENTER")
        row = _SIZES.get(kind)
        if row is None or (kind == inst.OFPIT_METER and version >= 6):
            raise OpenFlowError("OFPBIC_UNKNOWN_INST")
        instruction, least, may_be_longer = row
        if size < least or (size > least and not may_be_longer):
            raise OpenFlowError("OFPBIC_BAD_LEN")
        if instruction in found:
            raise OpenFlowError("OFPBIC_DUP_INST")
        found[instruction] = octets[offset + 4 : offset + size]
        offset += size
    return found


def decode_instructions(octets: bytes, version: int) -> tuple[Action, ...]:
    """Return what instructions say, as a list of actions in their order.

    In OpenFlow 1.0 these are actions, of which some stand for instructions.

    Raises:
        OpenFlowError: OFPBIC_*, OFPBRC_BAD_LEN or the first wrong action's error.
    """
    if version == 1:
        return decode_actions(octets, version, verify.ALL)
    if len(octets) % 8:
        warn_rl(
            f"OpenFlow message instructions length {len(octets)} is not a multiple of 8"
        )
        raise OpenFlowError("OFPBIC_BAD_LEN")
    found = _split_instructions(octets, version)
    actions: list[Action] = []
    if verify.METER in found:
        actions.append(inst.Meter(int.from_bytes(found[verify.METER], "big")))
    if verify.APPLY_ACTIONS in found:
        body = found[verify.APPLY_ACTIONS]
        actions += _decode_list(body, 4, len(body), version)
    if verify.CLEAR_ACTIONS in found:
        actions.append(inst.ClearActions())
    if verify.WRITE_ACTIONS in found:
        body = found[verify.WRITE_ACTIONS]
        actions.append(inst.WriteActions(_decode_action_set(body, version)))
    if verify.WRITE_METADATA in found:
        numbers = _METADATA.unpack_from(found[verify.WRITE_METADATA], 4)
        actions.append(inst.WriteMetadata(*numbers))
    if verify.GOTO_TABLE in found:
        actions.append(inst.GotoTable(found[verify.GOTO_TABLE][0]))
    _verify(actions, version, verify.ALL, "")
    return tuple(actions)


def _decode_action_set(body: bytes, version: int) -> tuple[Action, ...]:
    actions = _decode_list(body, 4, len(body), version)
    for action in actions:
        if not is_allowed_in_action_set(action):
            warn_rl("disallowed action in action set")
            raise OpenFlowError("OFPBAC_BAD_TYPE")
    return tuple(actions)


def encode_actions(actions: Sequence[Action], version: int) -> bytes:
    """Return actions on the wire."""
    return b"".join([action.encode(version) for action in actions])


def encode_instructions(actions: Sequence[Action], version: int) -> bytes:
    """Return actions as instructions; in OpenFlow 1.0 as actions."""
    if version == 1:
        return encode_actions(actions, version)
    octets = b""
    applied: list[bytes] = []
    for action in actions:
        piece = action.encode(version)
        if verify.instruction_of(action, version) == verify.APPLY_ACTIONS:
            applied.append(piece)
            continue
        if applied:
            octets += inst.put_actions(inst.OFPIT_APPLY_ACTIONS, b"".join(applied))
            applied = []
        octets += piece
    if applied:
        octets += inst.put_actions(inst.OFPIT_APPLY_ACTIONS, b"".join(applied))
    return octets
