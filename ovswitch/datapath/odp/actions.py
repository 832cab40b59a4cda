# SPDX-License-Identifier: Apache-2.0
"""Datapath actions: each is simply the octets of its attribute.

So a builder returns `bytes`, a list of actions is encoded by `encode()` (a join),
compared with ``==``, and nothing is ever built that isn't sent. What an action says is
read back by `action_text.format()` and, one by one, with `netlink.walk()`.
Ports are datapath ports; VLAN TCIs have the CFI bit set.
Source: linux/openvswitch.h, enum ovs_action_attr.
"""

from __future__ import annotations

from struct import Struct

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import numbers as n

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_VLAN = Struct("!HH")
_MPLS = Struct("!IHxx")
_ADD_MPLS = Struct("!IH")
_TUN_FLAGS = Struct("=H")
_BE16 = Struct("!H")
_HASH = Struct("=II")
_TNL_PUSH = Struct("=IIII")

POP_VLAN = netlink.attr(n.OVS_ACTION_ATTR_POP_VLAN)
POP_ETH = netlink.attr(n.OVS_ACTION_ATTR_POP_ETH)
POP_NSH = netlink.attr(n.OVS_ACTION_ATTR_POP_NSH)
CT_CLEAR = netlink.attr(n.OVS_ACTION_ATTR_CT_CLEAR)


def encode(actions: Iterable[bytes]) -> bytes:
    """Return a list of actions as one string of attributes."""
    return b"".join(actions)


_MAX_OUTPUTS = 1024
_outputs: dict[int, bytes] = {}


def output(port: int) -> bytes:
    """Send to a datapath port."""
    octets = _outputs.get(port)
    if octets is None:
        octets = netlink.put_u32(n.OVS_ACTION_ATTR_OUTPUT, port)
        if len(_outputs) < _MAX_OUTPUTS:
            _outputs[port] = octets
    return octets


def lb_output(bond_id: int) -> bytes:
    """Send to the bond member that the packet's dp_hash selects."""
    return netlink.put_u32(n.OVS_ACTION_ATTR_LB_OUTPUT, bond_id)


def userspace(
    pid: int,
    userdata: bytes | None = None,
    *,
    tunnel_out_port: int = n.ODPP_NONE,
    include_actions: bool = False,
) -> bytes:
    """Send to userspace; `userdata` is a cookie (`odp.cookie`) or any octets."""
    inner = netlink.put_u32(n.OVS_USERSPACE_ATTR_PID, pid)
    if userdata is not None:
        inner += netlink.attr(n.OVS_USERSPACE_ATTR_USERDATA, userdata)
    if tunnel_out_port != n.ODPP_NONE:
        inner += netlink.put_u32(n.OVS_USERSPACE_ATTR_EGRESS_TUN_PORT, tunnel_out_port)
    if include_actions:
        inner += netlink.attr(n.OVS_USERSPACE_ATTR_ACTIONS)
    return netlink.attr(n.OVS_ACTION_ATTR_USERSPACE, inner)


def set_key(key_type: int, key: bytes) -> bytes:
    """Set a whole header; `key` as `attributes.KEYS[key_type].pack()` gives it."""
    return netlink.attr(n.OVS_ACTION_ATTR_SET, netlink.attr(key_type, key))


def set_tunnel(tunnel: bytes) -> bytes:
    """Set the tunnel of what follows; `tunnel` is an OVS_KEY_ATTR_TUNNEL attribute."""
    return netlink.attr(n.OVS_ACTION_ATTR_SET, tunnel)


def set_masked(key_type: int, key: bytes, mask: bytes) -> bytes:
    """Set the bits of `mask`; `key` has no others."""
    return netlink.attr(
        n.OVS_ACTION_ATTR_SET_MASKED, netlink.attr(key_type, key + mask)
    )


def push_vlan(tpid: int, tci: int) -> bytes:
    """Add an outer VLAN header."""
    return netlink.attr(n.OVS_ACTION_ATTR_PUSH_VLAN, _VLAN.pack(tpid, tci))


def push_mpls(lse: int, eth_type: int) -> bytes:
    """Add an outer MPLS label behind the Ethernet and VLAN headers."""
    return netlink.attr(n.OVS_ACTION_ATTR_PUSH_MPLS, _MPLS.pack(lse, eth_type))


def pop_mpls(eth_type: int) -> bytes:
    """Remove the outer MPLS label; the packet becomes one of `eth_type`."""
    return netlink.attr(n.OVS_ACTION_ATTR_POP_MPLS, _BE16.pack(eth_type))


def add_mpls(lse: int, eth_type: int, tun_flags: int = 0) -> bytes:
    """Add an MPLS label in front of the packet, or behind layer 2 (`tun_flags` 1)."""
    return netlink.attr(
        n.OVS_ACTION_ATTR_ADD_MPLS,
        _ADD_MPLS.pack(lse, eth_type) + _TUN_FLAGS.pack(tun_flags),
    )


def push_eth(src: int, dst: int) -> bytes:
    """Add an Ethernet header."""
    return netlink.attr(
        n.OVS_ACTION_ATTR_PUSH_ETH, (src << 48 | dst).to_bytes(12, "big")
    )


def push_nsh(nsh: bytes) -> bytes:
    """Add a network service header; `nsh` is nested OVS_NSH_KEY_ATTR_* attributes."""
    return netlink.attr(
        n.OVS_ACTION_ATTR_PUSH_NSH, netlink.attr(n.OVS_KEY_ATTR_NSH, nsh)
    )


def sample(probability: int, actions: bytes) -> bytes:
    """Do `actions` on some packets; the probability is in units of 2**-32."""
    return netlink.attr(
        n.OVS_ACTION_ATTR_SAMPLE,
        netlink.put_u32(n.OVS_SAMPLE_ATTR_PROBABILITY, probability)
        + netlink.attr(n.OVS_SAMPLE_ATTR_ACTIONS, actions),
    )


def clone(actions: bytes) -> bytes:
    """Do `actions` on a copy of the packet."""
    return netlink.attr(n.OVS_ACTION_ATTR_CLONE, actions)


def check_pkt_len(size: int, greater: bytes, less_equal: bytes) -> bytes:
    """Do one list of actions on packets above `size` octets, the other on the rest."""
    return netlink.attr(
        n.OVS_ACTION_ATTR_CHECK_PKT_LEN,
        netlink.put_u16(n.OVS_CHECK_PKT_LEN_ATTR_PKT_LEN, size)
        + netlink.attr(n.OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER, greater)
        + netlink.attr(n.OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL, less_equal),
    )


def recirc(recirc_id: int) -> bytes:
    """Look the packet up again with this recirculation id."""
    return netlink.put_u32(n.OVS_ACTION_ATTR_RECIRC, recirc_id)


def hash_(algorithm: int, basis: int) -> bytes:
    """Compute dp_hash with OVS_HASH_ALG_L4 or OVS_HASH_ALG_SYM_L4."""
    return netlink.attr(n.OVS_ACTION_ATTR_HASH, _HASH.pack(algorithm, basis))


def trunc(max_size: int) -> bytes:
    """Cut the packet to `max_size` octets for the next output."""
    return netlink.put_u32(n.OVS_ACTION_ATTR_TRUNC, max_size)


def meter(meter_id: int) -> bytes:
    """Drop the packet if the meter says so."""
    return netlink.put_u32(n.OVS_ACTION_ATTR_METER, meter_id)


def drop(reason: int = 0) -> bytes:
    """Drop, counted under an `XLATE_*` reason."""
    return netlink.put_u32(n.OVS_ACTION_ATTR_DROP, reason)


def tnl_pop(port: int) -> bytes:
    """Take the tunnel's headers off and go on with the tunnel port as in_port."""
    return netlink.put_u32(n.OVS_ACTION_ATTR_TUNNEL_POP, port)


def tnl_push(tnl_port: int, out_port: int, tnl_type: int, header: bytes) -> bytes:
    """Put outer headers before the packet and go on with `tnl_port` as in_port."""
    return netlink.attr(
        n.OVS_ACTION_ATTR_TUNNEL_PUSH,
        _TNL_PUSH.pack(tnl_port, out_port, len(header), tnl_type) + header,
    )


class Nat:
    """The nat() part of ct().

    `direction` is OVS_NAT_ATTR_SRC, OVS_NAT_ATTR_DST, or 0 for "as the connection
    has it" (then nothing else counts). Addresses are packed, 4 or 16 octets, or b"".
    """

    __slots__ = (
        "address_max",
        "address_min",
        "direction",
        "persistent",
        "proto_hash",
        "proto_max",
        "proto_min",
        "proto_random",
    )

    def __init__(
        self,
        direction: int = 0,
        address_min: bytes = b"",
        address_max: bytes = b"",
        proto_min: int = 0,
        proto_max: int = 0,
        *,
        persistent: bool = False,
        proto_hash: bool = False,
        proto_random: bool = False,
    ) -> None:
        self.direction = direction
        self.address_min = address_min
        self.address_max = address_max
        self.proto_min = proto_min
        self.proto_max = proto_max
        self.persistent = persistent
        self.proto_hash = proto_hash
        self.proto_random = proto_random

    def encode(self) -> bytes:
        """Return the OVS_CT_ATTR_NAT attribute."""
        inner = netlink.attr(self.direction) if self.direction else b""
        if self.direction and self.address_min:
            inner += netlink.attr(n.OVS_NAT_ATTR_IP_MIN, self.address_min)
            if self.address_max > self.address_min:
                inner += netlink.attr(n.OVS_NAT_ATTR_IP_MAX, self.address_max)
            if self.proto_min:
                inner += netlink.put_u16(n.OVS_NAT_ATTR_PROTO_MIN, self.proto_min)
                if self.proto_max > self.proto_min:
                    inner += netlink.put_u16(n.OVS_NAT_ATTR_PROTO_MAX, self.proto_max)
            for wanted, kind in (
                (self.persistent, n.OVS_NAT_ATTR_PERSISTENT),
                (self.proto_hash, n.OVS_NAT_ATTR_PROTO_HASH),
                (self.proto_random, n.OVS_NAT_ATTR_PROTO_RANDOM),
            ):
                if wanted:
                    inner += netlink.attr(kind)
        return netlink.attr(n.OVS_CT_ATTR_NAT, inner)


def ct(
    *,
    commit: bool = False,
    force: bool = False,
    zone: int = 0,
    mark: tuple[int, int] = (0, 0),
    label: tuple[int, int] = (0, 0),
    helper: str = "",
    timeout: str = "",
    nat: Nat | None = None,
) -> bytes:
    """Pass the packet through connection tracking.

    `mark` and `label` are (value, mask); a zero mask leaves them out. `force` commits
    even where the connection is known in the other direction.
    """
    inner = b""
    if commit and not force:
        inner += netlink.attr(n.OVS_CT_ATTR_COMMIT)
    if force:
        inner += netlink.attr(n.OVS_CT_ATTR_FORCE_COMMIT)
    if zone:
        inner += netlink.put_u16(n.OVS_CT_ATTR_ZONE, zone)
    if mark[1]:
        inner += netlink.attr(n.OVS_CT_ATTR_MARK, _HASH.pack(*mark))
    if label[1]:
        inner += netlink.attr(
            n.OVS_CT_ATTR_LABELS,
            netlink.u128_octets(label[0]) + netlink.u128_octets(label[1]),
        )
    if helper:
        inner += netlink.put_string(n.OVS_CT_ATTR_HELPER, helper)
    if timeout:
        inner += netlink.put_string(n.OVS_CT_ATTR_TIMEOUT, timeout)
    if nat is not None:
        inner += nat.encode()
    return netlink.attr(n.OVS_ACTION_ATTR_CT, inner)
