# SPDX-License-Identifier: Apache-2.0
"""A bundle: one logical port of a switch, what the database calls a Port.

NORMAL forwards between bundles, and 802.1Q is configured for them. An ordinary one has
one port; a bond has several.

Internally a packet's VLANs are a pair of tags (see `xlate/vlan.py`); `includes()` says
whether a bundle takes part in a VLAN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.port import Port

ACCESS, TRUNK, NATIVE_TAGGED, NATIVE_UNTAGGED, DOT1Q_TUNNEL = range(5)

#: When a packet that leaves in VLAN 0 gets a header for its priority.
PRIORITY_TAGS_NEVER, PRIORITY_TAGS_IF_NONZERO, PRIORITY_TAGS_ALWAYS = range(3)


class BundleSettings:
    """The configuration of a bundle.

    Attributes:
        vlan: of access ports, and the native or tunnel VLAN; -1 for none.
        trunks: the VLANs of a trunk; None for all.
        cvlans: the customer VLANs of a tunnel port; None for all.
        qinq_ethtype: of the tunnel's tag.
        protected: whether it may not talk to other protected bundles.
    """

    __slots__ = (
        "cvlans", "floodable", "name", "protected", "qinq_ethtype", "trunks",
        "use_priority_tags", "vlan", "vlan_mode",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *,
        vlan_mode: int = TRUNK,
        vlan: int = -1,
        trunks: frozenset[int] | None = None,
        cvlans: frozenset[int] | None = None,
        qinq_ethtype: int = 0x8100,
        use_priority_tags: int = PRIORITY_TAGS_NEVER,
        protected: bool = False,
        floodable: bool = True,
    ) -> None:
        self.name = name
        self.vlan_mode = vlan_mode
        self.vlan = vlan
        self.trunks = trunks
        self.cvlans = cvlans
        self.qinq_ethtype = qinq_ethtype
        self.use_priority_tags = use_priority_tags
        self.protected = protected
        self.floodable = floodable


class Bundle:
    """A logical port: its configuration and its ports.

    Attributes:
        ofproto: the switch; None for `NONE_BUNDLE`.
        mirror_out: whether only mirrors may send to it.
        src_mirrors, dst_mirrors: which mirrors copy what it receives and sends (bits).
    """

    __slots__ = (
        "cvlans", "dst_mirrors", "floodable", "mirror_out", "name", "ofproto", "ports",
        "protected", "qinq_ethtype", "src_mirrors", "trunks", "use_priority_tags",
        "vlan", "vlan_mode",
    )  # fmt: skip

    def __init__(self, ofproto: Ofproto | None, settings: BundleSettings) -> None:
        self.ofproto = ofproto
        self.ports: list[Port] = []
        self.mirror_out = False
        self.src_mirrors = 0
        self.dst_mirrors = 0
        self.configure(settings)

    def configure(self, settings: BundleSettings) -> None:
        """Take over new settings."""
        self.name = settings.name
        self.vlan_mode = settings.vlan_mode
        self.vlan = settings.vlan
        self.trunks = _trunks(settings)
        self.cvlans = settings.cvlans
        self.qinq_ethtype = settings.qinq_ethtype
        self.use_priority_tags = settings.use_priority_tags
        self.protected = settings.protected
        self.floodable = settings.floodable

    def __repr__(self) -> str:
        return f"Bundle({self.name})"

    def trunks_vlan(self, vid: int) -> bool:
        """Return whether VLAN `vid` may come in with a tag."""
        if self.vlan_mode == ACCESS:
            return False
        return self.trunks is None or vid in self.trunks

    def allows_cvlan(self, vid: int) -> bool:
        """Return whether a tunnel port carries the customer's VLAN `vid`."""
        return self.cvlans is None or vid in self.cvlans

    def includes(self, outer_vid: int, inner_vid: int) -> bool:
        """Return whether packets in a VLAN may leave here."""
        if self.vlan_mode == ACCESS:
            return outer_vid == self.vlan and not inner_vid
        if self.vlan_mode == DOT1Q_TUNNEL:
            return outer_vid == self.vlan and self.allows_cvlan(inner_vid)
        return self.trunks_vlan(outer_vid)


def _trunks(settings: BundleSettings) -> frozenset[int] | None:
    """Return the VLANs that a bundle trunks; None for all.

    With a native VLAN, that one always and VLAN 0 never: packets without a tag are in
    the native VLAN.
    """
    trunks = settings.trunks
    if settings.vlan_mode not in {NATIVE_TAGGED, NATIVE_UNTAGGED} or settings.vlan <= 0:
        return trunks
    return (_ALL_VLANS if trunks is None else trunks) - {0} | {settings.vlan}


_ALL_VLANS = frozenset(range(4096))

#: Where packets "come from" that a controller sends with in_port NONE or CONTROLLER.
NONE_BUNDLE = Bundle(None, BundleSettings("OFPP_NONE"))
