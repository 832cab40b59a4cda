# SPDX-License-Identifier: Apache-2.0
"""What the reference's userspace datapath adds to a flow: miniflow_bits(A,B).

A and B count the 64-bit words of the reference's flow structure that the mask touches,
in its first 64 words and in the rest. Our structure has other words, so each member is
listed with its word there. `in_port` never counts (nor `dp_hash` where it alone would).
Source: the reference's flow.h, struct flow, and dpif-netdev.c.
"""

from __future__ import annotations

from ovswitch.flow.layout import SLOTS

_UNIT = 64

# Word of the reference's structure: members of ours that stand in it.
_WORDS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, ("tun_dst",)),
    (5, ("tun_id",)),
    (6, ("tun_flags", "tun_tos", "tun_ttl", "tun_tp_src", "tun_tp_dst")),
    (7, ("tun_gbp_id", "tun_gbp_flags", "tun_erspan_ver", "tun_erspan_idx")),
    (
        8,
        (
            "tun_erspan_dir",
            "tun_erspan_hwid",
            "tun_gtpu_flags",
            "tun_gtpu_msgtype",
        ),
    ),
    (9, ("tun_metadata_len",)),
    (52, ("skb_priority", "pkt_mark")),
    (53, ("dp_hash",)),
    (54, ("recirc_id", "ct_state", "ct_nw_proto", "ct_zone")),
    (55, ("ct_mark", "packet_type")),
    (61, ("vlan_tpid0", "vlan_tci0", "vlan_tpid1", "vlan_tci1")[:2]),
    (62, ("mpls_lse0", "mpls_lse1")),
    (63, ("mpls_lse2",)),
    (64, ("nw_src", "nw_dst")),
    (65, ("ct_nw_src", "ct_nw_dst")),
    (74, ("ipv6_label", "nw_frag", "nw_tos", "nw_ttl", "nw_proto")),
    (82, ("tp_src", "tp_dst", "ct_tp_src", "ct_tp_dst")),
    (83, ("igmp_group_ip4",)),
)
