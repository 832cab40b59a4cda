# SPDX-License-Identifier: Apache-2.0
"""What a datapath can do, found out by asking for it.

Each question is a flow that no packet can match (its recirculation id is never given
out), put with OVS_FLOW_ATTR_PROBE, so that the datapath doesn't complain, and deleted
at once. Names are those of `ovs-appctl dpif/show-dp-features`' table in ofproto/.
"""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.dpif import ufid
from ovswitch.datapath.odp import actions as act
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.key_parse import parse_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.datapath.dpif import Dpif

_META = "recirc_id(0xfffffffe),in_port(0),"
_IPV4 = "eth_type(0x0800),ipv4(proto=6,frag=no),tcp()"
_IPV6 = "eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=135,code=0),nd()"
_MAX_SAMPLE_NESTING = 10
_MAX_MPLS = 3

#: Features that are an action: the action that only a datapath with it takes.
_ACTIONS = {
    "masked_set_action": act.set_masked(
        n.OVS_KEY_ATTR_ETHERNET, b"\0" * 12, b"\xff" * 6 + b"\0" * 6
    ),
    "tnl_push_pop": act.tnl_pop(1),
    "trunc": act.trunc(100) + act.output(1),
    "clone": act.clone(act.output(1)),
    "ct_clear": act.CT_CLEAR,
    "check_pkt_len": act.check_pkt_len(100, act.output(1), b""),
    "explicit_drop_action": act.drop(),
    "lb_output_action": act.lb_output(1),
    "add_mpls": act.add_mpls(0x140, 0x8847),
    "ct_eventmask": netlink.attr(
        n.OVS_ACTION_ATTR_CT,
        netlink.attr(n.OVS_CT_ATTR_COMMIT)
        + netlink.put_u32(n.OVS_CT_ATTR_EVENTMASK, 1),
    ),
    "ct_timeout": act.ct(commit=True, timeout="ovs_test_tp"),
    "ct_zero_snat": act.ct(commit=True, nat=act.Nat(n.OVS_NAT_ATTR_SRC, bytes(4))),
}

#: Features that are a match: the key that only a datapath with it takes.
_KEYS = {
    "recirc": f"{_META}eth(),{_IPV4}",
    "ct_state": f"ct_state(+trk),{_META}eth(),{_IPV4}",
    "ct_zone": f"ct_state(+trk),ct_zone(1),{_META}eth(),{_IPV4}",
    "ct_mark": f"ct_state(+trk),ct_mark(1),{_META}eth(),{_IPV4}",
    "ct_label": f"ct_state(+trk),ct_label(1),{_META}eth(),{_IPV4}",
    "ct_state_nat": f"ct_state(+trk+snat),{_META}eth(),{_IPV4}",
    "ct_orig_tuple": (
        f"ct_state(+trk),ct_tuple4(src=1.1.1.1,proto=6),{_META}eth(),{_IPV4}"
    ),
    "ct_orig_tuple6": f"ct_state(+trk),ct_tuple6(src=::1,proto=6),{_META}eth(),{_IPV6}",
    "nd_ext": f"{_META}eth(),{_IPV6},nd_ext(nd_reserved=0x1,nd_options_type=1)",
}


def probe(dpif: Dpif) -> dict[str, bool | int]:
    """Return every feature by name.

    Raises: DpifError: the datapath can't be reached.
    """
    found: dict[str, bool | int] = {
        name: _takes(dpif, _KEYS["recirc"], actions)
        for name, actions in _ACTIONS.items()
    }
    has_ct = _takes(dpif, _KEYS["recirc"], act.ct(commit=True))
    for name, key in _KEYS.items():
        # A datapath that tracks nothing may still know the fields: of no use.
        wanted = has_ct or not name.startswith("ct_")
        found[name] = wanted and _takes(dpif, key, act.output(1))
    found["ufid"] = _has_ufid(dpif)
    found["sample_nesting"] = _sample_nesting(dpif)
    hash_sym_l4 = act.hash_(n.OVS_HASH_ALG_SYM_L4, 0)
    found["max_hash_alg"] = (
        n.OVS_HASH_ALG_SYM_L4
        if _takes(dpif, _KEYS["recirc"], hash_sym_l4)
        else n.OVS_HASH_ALG_L4
    )
    found["max_vlan_headers"] = _max_vlan_headers(dpif)
    found["max_mpls_depth"] = _max_mpls_depth(dpif)
    return found


def _takes(dpif: Dpif, key_text: str, actions: bytes) -> bool:
    """Return whether the datapath takes a flow."""
    key, mask = parse_key(key_text)
    ident = ufid(key)
    put = dpif.flow_put(key, mask, actions, ident, modify=True, probe=True)
    result, _ = dpif.operate([put, dpif.flow_del(key, ident)])
    return result.errno == 0


def _has_ufid(dpif: Dpif) -> bool:
    """Return whether a flow can be found by its identifier alone."""
    key, mask = parse_key(_KEYS["recirc"])
    ident = ufid(key)
    put = dpif.flow_put(key, mask, b"", ident, modify=True, probe=True)
    results = dpif.operate([put, dpif.flow_del(b"", ident)])
    if results[1].errno:
        dpif.operate([dpif.flow_del(key)])
    return not any(result.errno for result in results)


def _sample_nesting(dpif: Dpif) -> int:
    actions = act.output(1)
    for depth in range(1, _MAX_SAMPLE_NESTING + 1):
        actions = act.sample(0x7FFFFFFF, actions)
        if not _takes(dpif, _KEYS["recirc"], actions):
            return depth - 1
    return _MAX_SAMPLE_NESTING


def _max_vlan_headers(dpif: Dpif) -> int:
    inner = _IPV4
    for count in (1, 2):
        inner = f"eth_type(0x8100),vlan(vid={count},pcp=0),encap({inner})"
        if not _takes(dpif, f"{_META}eth(),{inner}", act.output(1)):
            return count - 1
    return 2


def _max_mpls_depth(dpif: Dpif) -> int:
    for count in range(1, _MAX_MPLS + 1):
        labels = "".join(f"label={i},tc=0,ttl=64,bos=0," for i in range(1, count))
        labels += f"label={count},tc=0,ttl=64,bos=1"
        key = f"{_META}eth(),eth_type(0x8847),mpls({labels})"
        if not _takes(dpif, key, act.output(1)):
            return count - 1
    return _MAX_MPLS
