# SPDX-License-Identifier: Apache-2.0
"""A port of a switch, as OpenFlow and the pipeline see it.

What stands behind it (a network device, a tunnel, the other end of a patch) is the
business of `netdev/` and `bridge/`: they keep the attributes up to date, and give
`stats_source` for devices that count for themselves. Patch ports have no datapath port;
their packets are counted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.ofproto.bundle import Bundle
    from ovswitch.ofproto.ofproto import Ofproto

# Port configuration, as OpenFlow 1.0 numbers it.
PORT_DOWN = 1 << 0
NO_STP = 1 << 1
NO_RECV = 1 << 2
NO_RECV_STP = 1 << 3
NO_FLOOD = 1 << 4
NO_FWD = 1 << 5
NO_PACKET_IN = 1 << 6
#: What a controller may change.
CONFIG_MASK = (
    PORT_DOWN | NO_STP | NO_RECV | NO_RECV_STP | NO_FLOOD | NO_FWD | NO_PACKET_IN
)

# Port state, as the reference's abstract form numbers it.
LINK_DOWN = 1 << 0
BLOCKED = 1 << 1
LIVE = 1 << 2

UNKNOWN = 0xFFFFFFFFFFFFFFFF  # a counter that the device doesn't have


class PortStats:
    """What went through a port: counters, `UNKNOWN` where the device has none."""

    __slots__ = (
        "collisions", "custom", "multicast", "rx_bytes", "rx_crc_errors", "rx_dropped",
        "rx_errors", "rx_frame_errors", "rx_missed_errors", "rx_over_errors",
        "rx_packets", "tx_bytes", "tx_dropped", "tx_errors", "tx_packets",
    )  # fmt: skip

    def __init__(self, value: int = 0) -> None:
        self.rx_packets = value
        self.tx_packets = value
        self.rx_bytes = value
        self.tx_bytes = value
        self.rx_errors = value
        self.tx_errors = value
        self.rx_dropped = value
        self.tx_dropped = value
        self.multicast = value
        self.collisions = value
        self.rx_frame_errors = value
        self.rx_over_errors = value
        self.rx_crc_errors = value
        self.rx_missed_errors = value
        self.custom: dict[str, int] = {}

    def add_rx(self, n_packets: int, n_bytes: int) -> None:
        """Count packets that came in."""
        self.rx_packets += n_packets
        self.rx_bytes += n_bytes

    def add_tx(self, n_packets: int, n_bytes: int) -> None:
        """Count packets that went out."""
        self.tx_packets += n_packets
        self.tx_bytes += n_bytes


class Port:
    """A port of a switch.

    Attributes:
        ofp_port: OpenFlow's number, 16 bits.
        odp_port: the datapath's; None for a patch port.
        netdev_type: what the configuration calls its type ("internal", "patch" ...).
        config, state: bits, see above.
        curr, advertised, supported, peer_features: OFPPF_* bits.
        curr_speed, max_speed: in kbps.
        peer_name: the other end of a patch; "" for other ports.
        bundle: the logical port it belongs to, None until configured.
        may_enable: whether it can carry traffic (bundle and group actions ask).
        may_learn, may_forward: what spanning tree lets it do.
        mtu: in octets.
        created: in ms of monotonic time.
        stats_source: gives the device's counters; None for those counted here.
        set_up: brings the device up or down and returns whether it could; None for
            ports that have none.
        options: the device's configuration, for dpif/show.
        aux: for the owner in `bridge/`.
    """

    __slots__ = (
        "advertised", "aux", "bundle", "config", "created", "curr", "curr_speed",
        "hw_addr", "is_tunnel", "max_speed", "may_enable", "may_forward", "may_learn",
        "mtu", "name", "netdev_type", "odp_port", "ofp_port", "ofproto", "options",
        "peer_features", "peer_name", "set_up", "state", "stats", "stats_source",
        "supported",
    )  # fmt: skip

    def __init__(
        self,
        ofproto: Ofproto,
        name: str,
        ofp_port: int,
        odp_port: int | None,
        netdev_type: str = "system",
        hw_addr: int = 0,
    ) -> None:
        self.ofproto = ofproto
        self.name = name
        self.ofp_port = ofp_port
        self.odp_port = odp_port
        self.netdev_type = netdev_type
        self.hw_addr = hw_addr
        self.config = 0
        self.state = LIVE
        self.curr = 0
        self.advertised = 0
        self.supported = 0
        self.peer_features = 0
        self.curr_speed = 0
        self.max_speed = 0
        self.peer_name = ""
        self.bundle: Bundle | None = None
        self.may_enable = True
        self.may_learn = True
        self.may_forward = True
        self.is_tunnel = False
        self.mtu = 1500
        self.created = 0
        self.stats = PortStats()
        self.stats_source: Callable[[], PortStats | None] | None = None
        self.set_up: Callable[[bool], bool] | None = None
        self.options: dict[str, str] = {}
        self.aux: object = None

    def __repr__(self) -> str:
        return f"Port({self.name}, {self.ofp_port})"

    @property
    def peer(self) -> Port | None:
        """The port at the other end of a patch whose ends name each other."""
        if not self.peer_name:
            return None
        return self.ofproto.backer.patch_peer(self)

    def get_stats(self) -> PortStats | None:
        """Return the port's counters; None if the device is gone."""
        return self.stats if self.stats_source is None else self.stats_source()
