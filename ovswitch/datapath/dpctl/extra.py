# SPDX-License-Identifier: Apache-2.0
"""What the reference's userspace datapath adds to a flow: miniflow_bits(A,B).

A and B count the 64-bit words of the reference's flow structure that the mask touches,
in its first 64 words and in the rest. `in_port` never counts: the reference has a
classifier a port. Our structure has other words, hence the table.
Source: the reference's flow.h, struct flow, and dpif-netdev.c.
"""

from __future__ import annotations

from ovswitch.datapath.odp import key_decode
from ovswitch.flow.layout import SLOTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.datapath.dpif import Flow

_UNIT = 64  # words

# The reference's structure in its order: (octets, members of ours that stand there);
# what the datapath never matches on has no member.
_LAYOUT: tuple[tuple[int, str], ...] = (
    (4, "tun_dst"),
    (16, "tun_ipv6_dst"),
    (4, "tun_src"),
    (16, "tun_ipv6_src"),
    (8, "tun_id"),
    (2, "tun_flags"),
    (1, "tun_tos"),
    (1, "tun_ttl"),
    (2, "tun_tp_src"),
    (2, "tun_tp_dst"),
    (2, "tun_gbp_id"),
    (1, "tun_gbp_flags"),
    (1, "tun_erspan_ver"),
    (4, "tun_erspan_idx"),
    (1, "tun_erspan_dir"),
    (1, "tun_erspan_hwid"),
    (1, "tun_gtpu_flags"),
    (1, "tun_gtpu_msgtype"),
    (4, ""),
    (8, "tun_metadata_len"),
    (8, ""),
    (256, "tun_metadata"),
    (8, ""),  # the pipeline's metadata and registers
    (64, ""),
    (4, "skb_priority"),
    (4, "pkt_mark"),
    (4, "dp_hash"),
    (4, ""),  # in_port
    (4, "recirc_id"),
    (1, "ct_state"),
    (1, "ct_nw_proto"),
    (2, "ct_zone"),
    (4, "ct_mark"),
    (4, "packet_type"),
    (16, "ct_label"),
    (8, ""),
    (6, "dl_dst"),
    (6, "dl_src"),
    (2, "dl_type"),
    (2, ""),
    (2, "vlan_tpid0"),
    (2, "vlan_tci0"),
    (2, "vlan_tpid1"),
    (2, "vlan_tci1"),
    (4, "mpls_lse0"),
    (4, "mpls_lse1"),
    (4, "mpls_lse2"),
    (4, ""),
    (4, "nw_src"),
    (4, "nw_dst"),
    (4, "ct_nw_src"),
    (4, "ct_nw_dst"),
    (16, "ipv6_src"),
    (16, "ipv6_dst"),
    (16, "ct_ipv6_src"),
    (16, "ct_ipv6_dst"),
    (4, "ipv6_label"),
    (1, "nw_frag"),
    (1, "nw_tos"),
    (1, "nw_ttl"),
    (1, "nw_proto"),
    (16, "nd_target"),
    (6, "arp_sha"),
    (6, "arp_tha"),
    (2, "tcp_flags"),
    (2, ""),
    (1, "nsh_flags"),
    (1, "nsh_ttl"),
    (1, "nsh_mdtype"),
    (1, "nsh_np"),
    (4, "nsh_path_hdr"),
    (4, "nsh_c1"),
    (4, "nsh_c2"),
    (4, "nsh_c3"),
    (4, "nsh_c4"),
    (2, "tp_src"),
    (2, "tp_dst"),
    (2, "ct_tp_src"),
    (2, "ct_tp_dst"),
    (4, "igmp_group_ip4"),
    (4, ""),
)


def _words() -> list[int]:
    """Return for each word of the reference's structure the bits in our flow."""
    words: list[int] = [0] * (sum(size for size, _ in _LAYOUT) // 8)
    at = 0
    for size, name in _LAYOUT:
        if name:
            slot = SLOTS[name]
            for octet in range(size):
                back = size - 1 - octet  # octets behind this one
                if 8 * back < slot.width:
                    words[(at + octet) // 8] |= 0xFF << slot.shift + 8 * back
        at += size
    return words


def miniflow_bits(mask: int) -> str:
    """Return the count of words that a mask touches, as the reference shows it."""
    touched = [bool(mask & word) for word in _words()]
    return f"miniflow_bits({sum(touched[:_UNIT])},{sum(touched[_UNIT:])})"


def extra_info(flow: Flow) -> str:
    """Return a flow's dp-extra-info, "" where its key can't be read."""
    try:
        bits, _fitness = key_decode.to_flow(flow.key)
        mask, _fitness = key_decode.to_mask(flow.mask, bits)
    except key_decode.KeyDecodeError:
        return ""
    return miniflow_bits(mask)
