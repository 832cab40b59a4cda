# SPDX-License-Identifier: Apache-2.0
"""What a userspace() action carries, so that its upcall tells what it is for.

48 octets in host order: type, OpenFlow in_port, the ofproto's UUID, and 24 octets
that depend on the type. The datapath returns them as they are.
Source: the reference's odp-util.h, struct user_action_cookie.
"""

from __future__ import annotations

from struct import Struct

USER_ACTION_COOKIE_UNSPEC = 0
USER_ACTION_COOKIE_SFLOW = 1
USER_ACTION_COOKIE_SLOW_PATH = 2
USER_ACTION_COOKIE_FLOW_SAMPLE = 3
USER_ACTION_COOKIE_IPFIX = 4
USER_ACTION_COOKIE_CONTROLLER = 5

SLOW_CFM = 1
SLOW_BFD = 2
SLOW_LACP = 4
SLOW_STP = 8
SLOW_LLDP = 16
SLOW_ACTION = 32
SLOW_MATCH = 64
#: (text, explanation) of each slow-path reason, lowest bit first.
SLOW_PATH_REASONS = (
    ("cfm", "Consists of CFM packets"),
    ("bfd", "Consists of BFD packets"),
    ("lacp", "Consists of LACP packets"),
    ("stp", "Consists of STP packets"),
    ("lldp", "Consists of LLDP packets"),
    ("action", "Uses action(s) not supported by datapath"),
    ("match", "Datapath can't match specifically enough"),
)

NX_ACTION_SAMPLE_DEFAULT = 0
NX_ACTION_SAMPLE_INGRESS = 1
NX_ACTION_SAMPLE_EGRESS = 2

OFPP_NONE = 0xFFFF  # in the 16 bits that the cookie has for a port
NO_UUID = bytes(16)

SIZE = 48
_HEAD = Struct("=HxxI16s24s")
_SFLOW = Struct("=2sxxI16x")
_SLOW_PATH = Struct("=xxxxI16x")
_FLOW_SAMPLE = Struct("=HxxIIIII")
_IPFIX = Struct("=I20x")
_CONTROLLER = Struct("=BBHI8sHH4x")


class Cookie:
    """A decoded cookie: its type, where it came from, and its type's own values.

    The values are those that the builder of the type takes, in its order.
    """

    __slots__ = ("in_port", "ofproto_uuid", "type", "values")

    def __init__(
        self, kind: int, in_port: int, ofproto_uuid: bytes, values: tuple[int, ...]
    ) -> None:
        self.type = kind
        self.in_port = in_port
        self.ofproto_uuid = ofproto_uuid
        self.values = values


def sflow(
    vlan_tci: int, output: int, in_port: int = OFPP_NONE, uuid: bytes = NO_UUID
) -> bytes:
    """Return the cookie of an sFlow sample."""
    own = _SFLOW.pack(vlan_tci.to_bytes(2, "big"), output)
    return _HEAD.pack(USER_ACTION_COOKIE_SFLOW, in_port, uuid, own)


def slow_path(reason: int, in_port: int = OFPP_NONE, uuid: bytes = NO_UUID) -> bytes:
    """Return the cookie of a packet for the slow path; `reason` is SLOW_* bits."""
    own = _SLOW_PATH.pack(reason)
    return _HEAD.pack(USER_ACTION_COOKIE_SLOW_PATH, in_port, uuid, own)


def flow_sample(
    probability: int,
    collector_set_id: int,
    obs_domain_id: int,
    obs_point_id: int,
    output_port: int,
    direction: int,
    in_port: int = OFPP_NONE,
    uuid: bytes = NO_UUID,
) -> bytes:
    """Return the cookie of OpenFlow's sample action (IPFIX per flow)."""
    own = _FLOW_SAMPLE.pack(
        probability,
        collector_set_id,
        obs_domain_id,
        obs_point_id,
        output_port,
        direction,
    )
    return _HEAD.pack(USER_ACTION_COOKIE_FLOW_SAMPLE, in_port, uuid, own)


def ipfix(output_port: int, in_port: int = OFPP_NONE, uuid: bytes = NO_UUID) -> bytes:
    """Return the cookie of an IPFIX sample per bridge."""
    own = _IPFIX.pack(output_port)
    return _HEAD.pack(USER_ACTION_COOKIE_IPFIX, in_port, uuid, own)


def controller(
    reason: int,
    dont_send: int,
    continuation: int,
    recirc_id: int,
    rule_cookie: int,
    controller_id: int,
    max_len: int,
    in_port: int = OFPP_NONE,
    uuid: bytes = NO_UUID,
) -> bytes:
    """Return the cookie of a packet for a controller."""
    own = _CONTROLLER.pack(
        bool(dont_send),
        bool(continuation),
        reason,
        recirc_id,
        rule_cookie.to_bytes(8, "big"),
        controller_id,
        max_len,
    )
    return _HEAD.pack(USER_ACTION_COOKIE_CONTROLLER, in_port, uuid, own)


def decode(octets: bytes) -> Cookie | None:
    """Return what a cookie says; None when the octets aren't one."""
    if len(octets) != SIZE:
        return None
    kind, in_port, uuid, own = _HEAD.unpack(octets)
    values: tuple[int, ...]
    if kind == USER_ACTION_COOKIE_SFLOW:
        tci, output = _SFLOW.unpack(own)
        values = (int.from_bytes(tci, "big"), output)
    elif kind == USER_ACTION_COOKIE_SLOW_PATH:
        values = _SLOW_PATH.unpack(own)
    elif kind == USER_ACTION_COOKIE_FLOW_SAMPLE:
        values = _FLOW_SAMPLE.unpack(own)
    elif kind == USER_ACTION_COOKIE_IPFIX:
        values = _IPFIX.unpack(own)
    elif kind == USER_ACTION_COOKIE_CONTROLLER:
        dont_send, continuation, reason, recirc_id, cookie, controller_id, max_len = (
            _CONTROLLER.unpack(own)
        )
        rule_cookie = int.from_bytes(cookie, "big")
        values = (
            reason,
            dont_send,
            continuation,
            recirc_id,
            rule_cookie,
            controller_id,
            max_len,
        )
    else:
        return None
    return Cookie(kind, in_port, uuid, values)
