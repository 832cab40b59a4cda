# SPDX-License-Identifier: Apache-2.0
"""Datapath actions as text: what dump-flows prints behind "actions:".

Source: the reference's odp-util.c for every form and for what malformed actions
turn into.
"""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import cookie as c
from ovswitch.datapath.odp import ct_text, tnl_push_text
from ovswitch.datapath.odp import key_text as k
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.member_text import alternate
from ovswitch.datapath.odp.scan import format_flags
from ovswitch.packet.address import format_mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.datapath.odp.key_text import PortNames

    _Formatter = Callable[[bytes, PortNames | None, int], str]

_VARIABLE = -1
_MAX_DEPTH = 32
_IPV6_KEY_SIZE = 40  # of the largest header that a masked set can have

#: Payload sizes of the actions; those that aren't here are unknown.
SIZES = {
    n.OVS_ACTION_ATTR_OUTPUT: 4,
    n.OVS_ACTION_ATTR_USERSPACE: _VARIABLE,
    n.OVS_ACTION_ATTR_SET: _VARIABLE,
    n.OVS_ACTION_ATTR_PUSH_VLAN: 4,
    n.OVS_ACTION_ATTR_POP_VLAN: 0,
    n.OVS_ACTION_ATTR_SAMPLE: _VARIABLE,
    n.OVS_ACTION_ATTR_RECIRC: 4,
    n.OVS_ACTION_ATTR_HASH: 8,
    n.OVS_ACTION_ATTR_PUSH_MPLS: 8,
    n.OVS_ACTION_ATTR_POP_MPLS: 2,
    n.OVS_ACTION_ATTR_SET_MASKED: _VARIABLE,
    n.OVS_ACTION_ATTR_CT: _VARIABLE,
    n.OVS_ACTION_ATTR_TRUNC: 4,
    n.OVS_ACTION_ATTR_PUSH_ETH: 12,
    n.OVS_ACTION_ATTR_POP_ETH: 0,
    n.OVS_ACTION_ATTR_CT_CLEAR: 0,
    n.OVS_ACTION_ATTR_PUSH_NSH: _VARIABLE,
    n.OVS_ACTION_ATTR_POP_NSH: 0,
    n.OVS_ACTION_ATTR_METER: 4,
    n.OVS_ACTION_ATTR_CLONE: _VARIABLE,
    n.OVS_ACTION_ATTR_CHECK_PKT_LEN: _VARIABLE,
    n.OVS_ACTION_ATTR_ADD_MPLS: 8,
    n.OVS_ACTION_ATTR_TUNNEL_PUSH: _VARIABLE,
    n.OVS_ACTION_ATTR_TUNNEL_POP: 4,
    n.OVS_ACTION_ATTR_DROP: 4,
    n.OVS_ACTION_ATTR_LB_OUTPUT: 4,
}


def format_actions(actions: bytes | list[bytes], ports: PortNames | None = None) -> str:
    """Return the text of a list of actions; no action at all is "drop".

    Args:
        actions: attributes, joined or one by one.
        ports: names to show for ports.
    """
    octets = actions if isinstance(actions, bytes) else b"".join(actions)
    return _format_list(octets, ports, 0)


def _format_list(octets: bytes, ports: PortNames | None, depth: int) -> str:
    if not octets or depth > _MAX_DEPTH:
        return "drop"
    found, rest = netlink.walk(octets)
    text = ",".join(_format_one(kind, inner, ports, depth) for kind, inner in found)
    if rest:
        empty = "<empty>" if len(rest) == len(octets) else ""
        text += f"{empty},***{len(rest)} leftover bytes*** ({rest.hex()})"
    return text


def _format_one(kind: int, payload: bytes, ports: PortNames | None, depth: int) -> str:
    size = SIZES.get(kind)
    form = _FORMS.get(kind)
    if size is None or form is None:
        wrong = f"bad length {len(payload)}, expected -1 for: "
        return wrong + _format_generic(kind, payload)
    if size not in (_VARIABLE, len(payload)):
        wrong = f"bad length {len(payload)}, expected {size} for: "
        return wrong + _format_generic(kind, payload)
    return form(payload, ports, depth)


def _format_generic(kind: int, payload: bytes) -> str:
    return f"action{kind}" + (f"({payload.hex(' ')})" if payload else "")


def _u32(payload: bytes) -> int:
    return netlink.get_uint(payload)


def _be(payload: bytes) -> int:
    return int.from_bytes(payload, "big")


def _plain(text: str) -> _Formatter:
    return lambda _payload, _ports, _depth: text


def _number(name: str) -> _Formatter:
    return lambda payload, _ports, _depth: f"{name}({_u32(payload)})"


def _format_output(payload: bytes, ports: PortNames | None, _depth: int) -> str:
    return k.port_name(ports, _u32(payload))


def _format_tnl_pop(payload: bytes, ports: PortNames | None, _depth: int) -> str:
    return f"tnl_pop({k.port_name(ports, _u32(payload))})"


def _format_recirc(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    return f"recirc({alternate(_u32(payload))})"


def _format_hash(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    algorithm, basis = _u32(payload[:4]), _u32(payload[4:])
    if algorithm == n.OVS_HASH_ALG_L4:
        return f"hash(l4({basis}))"
    if algorithm == n.OVS_HASH_ALG_SYM_L4:
        return f"hash(sym_l4({basis}))"
    return f"hash(Unknown hash algorithm({algorithm}))"


def _format_set(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    found, _rest = netlink.walk(payload)
    if not found:
        return "set()"
    number, inner = found[0]
    bad = k.bad_size(number, inner, None)
    text = bad or k.format_attribute(number, inner, None, None, verbose=True)
    return f"set({text})"


def _format_set_masked(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    found, _rest = netlink.walk(payload)
    if not found:
        return "set()"
    number, inner = found[0]
    if number == n.OVS_KEY_ATTR_NSH:
        return f"set(nsh({_format_set_nsh(inner)}))"
    size = len(inner) // 2
    if size > _IPV6_KEY_SIZE:
        key, mask = inner, None
    else:
        key, mask = inner[:size], inner[size : 2 * size]
    bad = k.bad_size(number, key, mask)
    text = bad or k.format_attribute(number, key, mask, None, verbose=False)
    return f"set({text})"


def _format_set_nsh(payload: bytes) -> str:
    """Return the fields to set: each attribute has values, then masks."""
    base, base_mask = bytes(8), b"\xff" * 8
    contexts, context_masks = bytes(16), b"\xff" * 16
    for number, inner in netlink.walk(payload)[0]:
        if number == n.OVS_NSH_KEY_ATTR_BASE and len(inner) == 16:
            base, base_mask = inner[:8], inner[8:]
        elif number == n.OVS_NSH_KEY_ATTR_MD1 and len(inner) == 32:
            contexts, context_masks = inner[:16], inner[16:]
    return k.format_nsh_masked(base, contexts, base_mask, context_masks)


def _format_push_eth(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    src, dst = _be(payload[:6]), _be(payload[6:])
    return f"push_eth(src={format_mac(src)},dst={format_mac(dst)})"


def _format_push_vlan(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    tpid = _be(payload[:2])
    text = "" if tpid == 0x8100 else f"tpid=0x{tpid:04x},"
    text += k.format_vlan_tci(_be(payload[2:]), 0xFFFF, verbose=False)
    return f"push_vlan({text})"


def _format_push_mpls(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    lse = k.format_mpls_lse(_be(payload[:4]))
    return f"push_mpls({lse},eth_type=0x{_be(payload[4:6]):x})"


def _format_add_mpls(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    lse = k.format_mpls_lse(_be(payload[:4]))
    return f"add_mpls({lse},eth_type=0x{_be(payload[4:6]):x})"


def _format_pop_mpls(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    return f"pop_mpls(eth_type=0x{_be(payload):x})"


def _format_push_nsh(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    outer = dict(netlink.walk(payload)[0])
    inner = dict(netlink.walk(outer.get(n.OVS_KEY_ATTR_NSH, b""))[0])
    base = inner.get(n.OVS_NSH_KEY_ATTR_BASE, b"")
    if len(base) != 8:
        base = bytes(8)
    if base[2] == 1:
        contexts = inner.get(n.OVS_NSH_KEY_ATTR_MD1, b"").ljust(16, b"\0")
        return f"push_nsh({k.format_nsh(base, contexts)})"
    text = k.format_nsh(base, b"")
    if base[2] == 2:
        text += f",md2={alternate(_be(inner.get(n.OVS_NSH_KEY_ATTR_MD2, b'')))}"
    else:
        text += ",<error: unknown mdtype>"
    return f"push_nsh({text})"


def _format_sample(payload: bytes, ports: PortNames | None, depth: int) -> str:
    inner = dict(netlink.walk(payload)[0])
    probability = inner.get(n.OVS_SAMPLE_ATTR_PROBABILITY)
    actions = inner.get(n.OVS_SAMPLE_ATTR_ACTIONS)
    if probability is None or len(probability) != 4 or actions is None:
        return "sample(error)"
    percentage = 100.0 * _u32(probability) / 0xFFFFFFFF
    text = _format_list(actions, ports, depth + 1)
    return f"sample(sample={percentage:.1f}%,actions({text}))"


def _format_clone(payload: bytes, ports: PortNames | None, depth: int) -> str:
    return f"clone({_format_list(payload, ports, depth + 1)})"


def _format_check_pkt_len(payload: bytes, ports: PortNames | None, depth: int) -> str:
    inner = dict(netlink.walk(payload)[0])
    size = inner.get(n.OVS_CHECK_PKT_LEN_ATTR_PKT_LEN)
    greater = inner.get(n.OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER)
    less_equal = inner.get(n.OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL)
    if size is None or len(size) != 2 or greater is None or less_equal is None:
        return "check_pkt_len(error)"
    return (
        f"check_pkt_len(size={_u32(size)},"
        f"gt({_format_list(greater, ports, depth + 1)}),"
        f"le({_format_list(less_equal, ports, depth + 1)}))"
    )


def _format_userspace(payload: bytes, ports: PortNames | None, _depth: int) -> str:
    inner = dict(netlink.walk(payload)[0])
    pid = inner.get(n.OVS_USERSPACE_ATTR_PID)
    if pid is None or len(pid) != 4:
        return "userspace(error)"
    text = f"userspace(pid={_u32(pid)}"
    userdata = inner.get(n.OVS_USERSPACE_ATTR_USERDATA)
    if userdata is not None:
        decoded = c.decode(userdata)
        if decoded is None:
            text += f",userdata({userdata.hex()})"
        else:
            text += "," + _COOKIES[decoded.type](decoded.values, ports)
    if n.OVS_USERSPACE_ATTR_ACTIONS in inner:
        text += ",actions"
    port = inner.get(n.OVS_USERSPACE_ATTR_EGRESS_TUN_PORT)
    if port is not None:
        text += f",tunnel_out_port={k.port_name(ports, _u32(port))}"
    return text + ")"


def _sflow(values: tuple[int, ...], _ports: PortNames | None) -> str:
    tci, output = values
    return f"sFlow(vid={tci & 0xFFF},pcp={tci >> 13},output={output})"


def _slow_path(values: tuple[int, ...], _ports: PortNames | None) -> str:
    return f"slow_path({format_slow_path(values[0])})"


def format_slow_path(reason: int) -> str:
    """Return the names of slow-path reasons."""
    names = tuple(name for name, _ in c.SLOW_PATH_REASONS)
    return format_flags(names, reason, ",")


def _flow_sample(values: tuple[int, ...], ports: PortNames | None) -> str:
    probability, collector, domain, point, port, direction = values
    ways = {
        c.NX_ACTION_SAMPLE_INGRESS: ",ingress",
        c.NX_ACTION_SAMPLE_EGRESS: ",egress",
    }
    return (
        f"flow_sample(probability={probability},collector_set_id={collector},"
        f"obs_domain_id={domain},obs_point_id={point},"
        f"output_port={k.port_name(ports, port)}{ways.get(direction, '')})"
    )


def _ipfix(values: tuple[int, ...], ports: PortNames | None) -> str:
    return f"ipfix(output_port={k.port_name(ports, values[0])})"


def _controller(values: tuple[int, ...], _ports: PortNames | None) -> str:
    reason, dont_send, continuation, recirc_id, rule_cookie, ident, max_len = values
    return (
        f"controller(reason={reason},dont_send={int(bool(dont_send))},"
        f"continuation={int(bool(continuation))},recirc_id={recirc_id},"
        f"rule_cookie={alternate(rule_cookie)},controller_id={ident},max_len={max_len})"
    )


_COOKIES: dict[int, Callable[[tuple[int, ...], PortNames | None], str]] = {
    c.USER_ACTION_COOKIE_SFLOW: _sflow,
    c.USER_ACTION_COOKIE_SLOW_PATH: _slow_path,
    c.USER_ACTION_COOKIE_FLOW_SAMPLE: _flow_sample,
    c.USER_ACTION_COOKIE_IPFIX: _ipfix,
    c.USER_ACTION_COOKIE_CONTROLLER: _controller,
}


def _format_ct(payload: bytes, _ports: PortNames | None, _depth: int) -> str:
    return ct_text.format_ct(payload)


def _format_tnl_push(payload: bytes, ports: PortNames | None, _depth: int) -> str:
    return tnl_push_text.format_tnl_push(payload, ports)


_FORMS: dict[int, _Formatter] = {
    n.OVS_ACTION_ATTR_OUTPUT: _format_output,
    n.OVS_ACTION_ATTR_USERSPACE: _format_userspace,
    n.OVS_ACTION_ATTR_SET: _format_set,
    n.OVS_ACTION_ATTR_PUSH_VLAN: _format_push_vlan,
    n.OVS_ACTION_ATTR_POP_VLAN: _plain("pop_vlan"),
    n.OVS_ACTION_ATTR_SAMPLE: _format_sample,
    n.OVS_ACTION_ATTR_RECIRC: _format_recirc,
    n.OVS_ACTION_ATTR_HASH: _format_hash,
    n.OVS_ACTION_ATTR_PUSH_MPLS: _format_push_mpls,
    n.OVS_ACTION_ATTR_POP_MPLS: _format_pop_mpls,
    n.OVS_ACTION_ATTR_SET_MASKED: _format_set_masked,
    n.OVS_ACTION_ATTR_CT: _format_ct,
    n.OVS_ACTION_ATTR_TRUNC: _number("trunc"),
    n.OVS_ACTION_ATTR_PUSH_ETH: _format_push_eth,
    n.OVS_ACTION_ATTR_POP_ETH: _plain("pop_eth"),
    n.OVS_ACTION_ATTR_CT_CLEAR: _plain("ct_clear"),
    n.OVS_ACTION_ATTR_PUSH_NSH: _format_push_nsh,
    n.OVS_ACTION_ATTR_POP_NSH: _plain("pop_nsh()"),
    n.OVS_ACTION_ATTR_METER: _number("meter"),
    n.OVS_ACTION_ATTR_CLONE: _format_clone,
    n.OVS_ACTION_ATTR_CHECK_PKT_LEN: _format_check_pkt_len,
    n.OVS_ACTION_ATTR_ADD_MPLS: _format_add_mpls,
    n.OVS_ACTION_ATTR_TUNNEL_PUSH: _format_tnl_push,
    n.OVS_ACTION_ATTR_TUNNEL_POP: _format_tnl_pop,
    n.OVS_ACTION_ATTR_DROP: _plain("drop"),
    n.OVS_ACTION_ATTR_LB_OUTPUT: _number("lb_output"),
}
