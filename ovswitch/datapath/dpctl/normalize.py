# SPDX-License-Identifier: Apache-2.0
"""The test command normalize-actions: outputs by the VLAN that they are done on."""

from __future__ import annotations

from sys import byteorder

from ovswitch.datapath import netlink
from ovswitch.datapath.dpctl.session import EINVAL, CommandFailedError, Session
from ovswitch.datapath.odp import key_decode
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.action_parse import parse_actions
from ovswitch.datapath.odp.action_text import format_actions
from ovswitch.datapath.odp.key_parse import OdpError, parse_key
from ovswitch.datapath.odp.key_text import format_key
from ovswitch.datapath.odp.scan import Scanner
from ovswitch.flow.layout import N_VLANS, SLOTS
from ovswitch.packet import headers as h

_TPIDS = tuple(SLOTS[f"vlan_tpid{i}"] for i in range(N_VLANS))
_TCIS = tuple(SLOTS[f"vlan_tci{i}"] for i in range(N_VLANS))
_QTAGS = tuple(tpid.mask | tci.mask for tpid, tci in zip(_TPIDS, _TCIS, strict=True))
_STEP = _TCIS[0].shift - _TCIS[1].shift  # bits between two VLAN headers
_ALL_VLANS = _QTAGS[0] | _QTAGS[1]
_MPLS_LSE = SLOTS["mpls_lse0"]
_DL_TYPE = SLOTS["dl_type"]
_MAX_NAME = 15


def normalize(session: Session, args: list[str]) -> None:
    """Show what actions do to a flow, by the VLAN that each output is done on."""
    ports = {}
    for word in args[2:]:
        name, separator, number = word.partition("=")
        value = Scanner(number).decimal(32)
        if not separator or not name or len(name) > _MAX_NAME or value is None:
            session.error(0, f"{word}: expected NAME=NUMBER")
            raise CommandFailedError(EINVAL)
        ports[name] = value
    try:
        key, _mask = parse_key(args[0], ports)
    except OdpError as error:
        session.fail(error.errno, f"odp_flow_key_from_string ({error})")
    text = format_key(key, verbose=session.verbosity > 0)
    session.print(f"input flow: {text}\n")
    flow = _decode(session, key)
    try:
        actions = parse_actions(args[1], ports)
    except OdpError as error:
        session.fail(error.errno, "odp_actions_from_string")
    if session.verbosity:
        session.print(f"input actions: {format_actions(actions)}\n")
    for state, own in sorted(_split(flow, actions).items()):
        session.print(_format_state(state) + format_actions(_sorted_outputs(own)))


def _decode(session: Session, key: bytes) -> int:
    try:
        flow, fitness = key_decode.to_flow(key)
    except key_decode.KeyDecodeError as error:
        text = f"{error}; the flow key in error is: {format_key(key, verbose=True)}"
        session.fail(key_decode.FIT_ERROR, f"odp_flow_key_to_flow failed ({text})")
    if fitness:
        session.fail(fitness, "odp_flow_key_to_flow failed (reason unknown)")
    return flow


def _split(flow: int, actions: bytes) -> dict[int, list[tuple[int, bytes]]]:
    """Return the actions other than on VLANs, by the flow that they meet."""
    by_flow: dict[int, list[tuple[int, bytes]]] = {}
    for kind, payload in netlink.walk(actions)[0]:
        vlans = flow & _ALL_VLANS
        if kind == n.OVS_ACTION_ATTR_POP_VLAN:
            flow = flow & ~_ALL_VLANS | vlans << _STEP & _QTAGS[0]
        elif kind == n.OVS_ACTION_ATTR_PUSH_VLAN:
            outer = int.from_bytes(payload, "big") << _TCIS[0].shift
            flow = flow & ~_ALL_VLANS | vlans >> _STEP & _QTAGS[1] | outer
        else:
            by_flow.setdefault(flow, []).append((kind, payload))
    return by_flow


def _sorted_outputs(actions: list[tuple[int, bytes]]) -> bytes:
    """Return the actions with each run of outputs in order of ports."""
    octets = b""
    run: list[int] = []
    for kind, payload in [*actions, (0, b"")]:
        if kind == n.OVS_ACTION_ATTR_OUTPUT:
            run.append(netlink.get_uint(payload))
            continue
        octets += b"".join(
            netlink.put_u32(n.OVS_ACTION_ATTR_OUTPUT, p) for p in sorted(run)
        )
        run = []
        if kind:
            octets += netlink.attr(kind, payload)
    return octets


def _format_state(flow: int) -> str:
    text = ""
    for depth in range(N_VLANS):
        tci = _TCIS[depth].get(flow)
        if not tci:
            text += "" if depth else "no vlan: "
            break
        tpid = _TPIDS[depth].get(flow)
        text += "vlan("
        if tpid != h.ETH_TYPE_VLAN:
            # The reference prints this one in the machine's order.
            text += f"tpid=0x{int.from_bytes(tpid.to_bytes(2, 'big'), byteorder):04x},"
        text += f"vid={tci & 0xFFF},pcp={tci >> 13}): "
    if not h.is_mpls(_DL_TYPE.get(flow)):
        return text + "no mpls: "
    lse = _MPLS_LSE.get(flow)
    return text + f"mpls(label={lse >> 12},tc={lse >> 9 & 7},ttl={lse & 0xFF}): "
