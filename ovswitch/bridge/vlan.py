# SPDX-License-Identifier: Apache-2.0
"""A port's VLAN settings, as the pipeline takes them.

Source: ovs-vswitchd.conf.db(5), Port, "VLAN Configuration".
"""

from __future__ import annotations

from ovswitch.bridge.config import VLAN_MODES, PortConfig
from ovswitch.runtime import vlog

_log = vlog.Module("bridge")

ETH_TYPE_VLAN = 0x8100
ETH_TYPE_VLAN_8021AD = 0x88A8


def mode_of(port: PortConfig) -> str:
    """Return a port's VLAN mode; without one, a tag makes it an access port."""
    if port.vlan_mode in VLAN_MODES:
        return port.vlan_mode
    if port.tag is None:
        return "trunk"
    if port.trunks or port.cvlans:
        _log.warn("port %s: ignoring trunks in favor of implicit vlan", port.name)
    return "access"


def qinq_ethertype(port: PortConfig) -> int:
    """Return the service tag's Ethernet type for mode dot1q-tunnel."""
    if port.other_config.get("qinq-ethtype") == "802.1q":
        return ETH_TYPE_VLAN
    return ETH_TYPE_VLAN_8021AD


def priority_tags_of(port: PortConfig) -> str:
    """Return when packets without a VLAN get a priority tag: never by default."""
    value = port.other_config.get("priority-tags", "")
    if value in ("if-nonzero", "true"):
        return "if-nonzero"
    return "always" if value == "always" else "never"
