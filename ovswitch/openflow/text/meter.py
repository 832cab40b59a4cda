# SPDX-License-Identifier: Apache-2.0
"""Printing meters."""

from __future__ import annotations

from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.messages import meter as meters
from ovswitch.openflow.text.output import bit_names, duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_FLAGS = {
    meters.KBPS: "kbps",
    meters.PKTPS: "pktps",
    meters.BURST: "burst",
    meters.STATS: "stats",
}
_BANDS = {1 << meters.DROP: "drop", 1 << meters.DSCP_REMARK: "dscp_remark"}
_NAMES = {
    meters.OFPM_SLOWPATH: "slowpath",
    meters.OFPM_CONTROLLER: "controller",
    meters.OFPM_ALL: "all",
}
_COMMANDS = ("ADD", "MOD", "DEL")


def _meter_id(meter_id: int, separator: str) -> str:
    if meter_id <= meters.OFPM_MAX:
        return f"meter{separator}{meter_id}"
    return f"meter{separator}{_NAMES.get(meter_id, 'unknown')}"


def _band(band: meters.Band, flags: int) -> str:
    text = f"\ntype={_BANDS[1 << band.type]} rate={band.rate}"
    if flags & meters.BURST:
        text += f" burst_size={band.burst_size}"
    if band.type == meters.DSCP_REMARK:
        text += f" prec_level={band.prec_level}"
    return text


def format_config(meter: meters.MeterConfig) -> str:
    """Return a meter's set-up, a line for it and one for each band."""
    flags = "".join(f"{name} " for bit, name in _FLAGS.items() if meter.flags & bit)
    unknown = meter.flags & ~sum(_FLAGS)
    if unknown:
        flags += f"flags:{unknown:#x} "
    bands = "".join(_band(band, meter.flags) for band in meter.bands)
    return f"{_meter_id(meter.meter_id, '=')} {flags}bands={bands}\n"


def format_stats(stats: meters.MeterStats) -> str:
    """Return a meter's statistics, a line for it and one for each band."""
    age = duration(stats.duration_sec, stats.duration_nsec)
    text = (
        f"{_meter_id(stats.meter_id, ':')} flow_count:{stats.flow_count} "
        f"packet_in_count:{stats.packet_in_count} "
        f"byte_in_count:{stats.byte_in_count} duration:{age} bands:\n"
    )
    for i, (packets, octets) in enumerate(stats.bands):
        text += f"{i}: packet_count:{packets} byte_count:{octets}\n"
    return text


def _mod(out: Out, header: raws.Header, cursor: Cursor) -> None:
    mod = decode_body(header, cursor)
    assert isinstance(mod, meters.MeterMod)
    out.put(f" {_COMMANDS[mod.command]} {format_config(mod.meter)}")


def _request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    out.put(f" {_meter_id(cursor.u32(), '=')}")


def _configs(out: Out, header: raws.Header, cursor: Cursor) -> None:
    while cursor.left:
        out.put("\n" + format_config(meters.take_config(cursor)))


def _stats(out: Out, header: raws.Header, cursor: Cursor) -> None:
    while cursor.left:
        out.put("\n" + format_stats(meters.take_stats(cursor)))


def _features(out: Out, header: raws.Header, cursor: Cursor) -> None:
    features = decode_body(header, cursor)
    assert isinstance(features, meters.MeterFeatures)
    out.put(
        f"\nmax_meter:{features.max_meters} max_bands:{features.max_bands}"
        f" max_color:{features.max_color}\n"
        f"band_types: {bit_names(features.band_types, _BANDS)}\n"
        f"capabilities: {bit_names(features.capabilities, _FLAGS)}\n"
    )


PRINTERS = {
    "METER_MOD": _mod,
    "METER_STATS_REQUEST": _request,
    "METER_CONFIG_STATS_REQUEST": _request,
    "METER_CONFIG_STATS_REPLY": _configs,
    "METER_STATS_REPLY": _stats,
    "METER_FEATURES_STATS_REPLY": _features,
}
