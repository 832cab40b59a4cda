# SPDX-License-Identifier: Apache-2.0
"""Link modes and driver names, over the SIOCETHTOOL ioctl.

Sources: linux/ethtool.h (struct ethtool_cmd, struct ethtool_drvinfo), ethtool(8).
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from typing import NamedTuple

from ovswitch.netdev.provider import Feature, Features, NetdevError

_SIOCETHTOOL = 0x8946
_ETHTOOL_GSET = 0x00000001
_ETHTOOL_GDRVINFO = 0x00000003
_IFREQ = struct.Struct("=16sQ16x")
# cmd, supported, advertising, speed, duplex, port, phy, transceiver, autoneg,
# mdio_support, maxtxpkt, maxrxpkt, speed_hi, tp_mdix, tp_mdix_ctrl, lp_advertising
_CMD = struct.Struct("=IIIHBBBBBBIIHBBI8x")
_DRVINFO = struct.Struct("=I32s32s32s32s32s12xIIIII")

_PORT_TP, _PORT_FIBRE = 0x00, 0x03

# ethtool's SUPPORTED_* and ADVERTISED_* bits (they have the same numbers).
_MODES = (
    (1 << 0, Feature.SPEED_10MB_HD),
    (1 << 1, Feature.SPEED_10MB_FD),
    (1 << 2, Feature.SPEED_100MB_HD),
    (1 << 3, Feature.SPEED_100MB_FD),
    (1 << 4, Feature.SPEED_1GB_HD),
    (1 << 5 | 1 << 17, Feature.SPEED_1GB_FD),
    (1 << 12 | 1 << 18 | 1 << 19 | 1 << 20, Feature.SPEED_10GB_FD),
    (1 << 23 | 1 << 24 | 1 << 25 | 1 << 26, Feature.SPEED_40GB_FD),
    (1 << 7, Feature.COPPER),
    (1 << 10, Feature.FIBER),
    (1 << 6, Feature.AUTONEG),
    (1 << 13, Feature.PAUSE),
    (1 << 14, Feature.PAUSE_ASYM),
)

# Mb/s -> (half duplex, full duplex)
_SPEEDS = {
    10: (Feature.SPEED_10MB_HD, Feature.SPEED_10MB_FD),
    100: (Feature.SPEED_100MB_HD, Feature.SPEED_100MB_FD),
    1000: (Feature.SPEED_1GB_HD, Feature.SPEED_1GB_FD),
    10000: (Feature.SPEED_10GB_FD, Feature.SPEED_10GB_FD),
    40000: (Feature.SPEED_40GB_FD, Feature.SPEED_40GB_FD),
    100000: (Feature.SPEED_100GB_FD, Feature.SPEED_100GB_FD),
    1000000: (Feature.SPEED_1TB_FD, Feature.SPEED_1TB_FD),
}


class DriverInfo(NamedTuple):
    """Names and versions of what drives a device."""

    driver: str
    version: str
    firmware: str


def _call(name: str, request: bytes) -> bytes:
    """Ask about device `name`. Raises: NetdevError."""
    buffer = array.array("B", request)
    address, _length = buffer.buffer_info()
    ifreq = _IFREQ.pack(name.encode(), address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            fcntl.ioctl(control, _SIOCETHTOOL, ifreq)
        except OSError as error:
            raise NetdevError(error.errno or 0) from error
    return buffer.tobytes()


def _features(bits: int) -> int:
    features = 0
    for modes, feature in _MODES:
        if bits & modes:
            features |= feature
    return features


def get_features(name: str) -> Features:
    """Return the link modes of device `name`. Raises: NetdevError."""
    answer = _call(name, _CMD.pack(_ETHTOOL_GSET, *[0] * 15))
    fields = _CMD.unpack(answer)
    _cmd, supported, advertising, speed_low, duplex, port = fields[:6]
    autoneg, speed_high = fields[8], fields[12]
    speed = speed_high << 16 | speed_low
    current = 0
    if speed in _SPEEDS:
        current = int(_SPEEDS[speed][bool(duplex)])
    if port == _PORT_TP:
        current |= Feature.COPPER
    elif port == _PORT_FIBRE:
        current |= Feature.FIBER
    if autoneg:
        current |= Feature.AUTONEG
    return Features(current, _features(advertising), _features(supported))


def get_driver_info(name: str) -> DriverInfo:
    """Return what drives device `name`. Raises: NetdevError."""
    empty = bytes(32)
    request = _DRVINFO.pack(
        _ETHTOOL_GDRVINFO, empty, empty, empty, empty, empty, 0, 0, 0, 0, 0
    )
    fields = _DRVINFO.unpack(_call(name, request))
    driver, version, firmware = (
        field.partition(b"\0")[0].decode(errors="replace") for field in fields[1:4]
    )
    return DriverInfo(driver, version, firmware)
