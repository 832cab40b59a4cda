# SPDX-License-Identifier: Apache-2.0
"""Commands that show datapaths: dump-dps, show, offload-stats-show, cache-*."""

from __future__ import annotations

from ovswitch.datapath.dpctl.session import EINVAL, CommandFailedError, Session
from ovswitch.datapath.dpif import Dpif, DpifError, DpStats, Port

ENOTSUP = 95
_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def dump_dps(session: Session, _args: list[str]) -> None:
    """List the datapaths."""
    session.for_each(lambda dpif: session.print(f"{dpif.full_name}\n"))


def show(session: Session, args: list[str]) -> None:
    """Show datapaths with their ports: all, or those named."""
    if not args:
        session.for_each(lambda dpif: _show_one(session, dpif))
        return
    failure = 0
    for name in args:
        try:
            dpif = session.open(name)
        except DpifError as error:
            failure = error.errno or EINVAL
            session.error(failure, f"opening datapath {name} failed")
            continue
        _show_one(session, dpif)
    if failure:
        raise CommandFailedError(failure)


def _show_one(session: Session, dpif: Dpif) -> None:
    session.print(f"{dpif.full_name}:\n")
    try:
        stats = dpif.stats()
    except DpifError:
        pass
    else:
        if dpif.is_userspace:
            stats.n_masks = None  # as the reference's, which doesn't count them
        session.print(_format_stats(stats))
    for port in dpif.port_dump():
        session.print(_format_port(session, port))
        if session.print_statistics:
            session.print(format_port_stats(session.environment.port_stats(port)))


def _format_stats(stats: DpStats) -> str:
    text = (
        f"  lookups: hit:{stats.n_hit} missed:{stats.n_missed} lost:{stats.n_lost}\n"
        f"  flows: {stats.n_flows}\n"
    )
    if stats.n_masks is None:
        return text
    packets = stats.n_hit + stats.n_missed
    average = stats.n_mask_hit / packets if packets else 0.0
    text += (
        f"  masks: hit:{stats.n_mask_hit} total:{stats.n_masks} hit/pkt:{average:.2f}\n"
    )
    if stats.n_cache_hit is not None:
        rate = stats.n_cache_hit / packets * 100 if packets else 0.0
        text += f"  cache: hit:{stats.n_cache_hit} hit-rate:{rate:.2f}%\n"
    return text


def _format_port(session: Session, port: Port) -> str:
    text = f"  port {port.port_no}: {port.name}"
    if port.type == "system":
        return text + "\n"
    config = session.environment.port_config(port)
    options = ", ".join(f"{key}={config[key]}" for key in sorted(config))
    return text + f" ({port.type}" + (f": {options}" if options else "") + ")\n"


def format_port_stats(stats: dict[str, int]) -> str:
    """Return a port's counters; those that aren't known are "?"."""

    def of(name: str) -> str:
        return str(stats.get(name, "?"))

    return (
        f"    RX packets:{of('rx_packets')} errors:{of('rx_errors')}"
        f" dropped:{of('rx_dropped')} overruns:{of('rx_over_errors')}"
        f" frame:{of('rx_frame_errors')}\n"
        f"    TX packets:{of('tx_packets')} errors:{of('tx_errors')}"
        f" dropped:{of('tx_dropped')} aborted:{of('tx_aborted_errors')}"
        f" carrier:{of('tx_carrier_errors')}\n"
        f"    collisions:{of('collisions')}\n"
        f"    RX bytes:{of('rx_bytes')}{_human(stats.get('rx_bytes'))}"
        f"  TX bytes:{of('tx_bytes')}{_human(stats.get('tx_bytes'))}\n"
    )


def _human(value: int | None) -> str:
    for unit, name in _UNITS:
        if value is not None and value >= unit:
            return f" ({value / unit:.1f} {name})"
    return ""


def offload_stats_show(session: Session, args: list[str]) -> None:
    """Show what hardware does: nothing here ever offloads."""
    session.open_optional(args, 1)
    session.fail(EINVAL, "retrieving offload statistics")


def cache_get_size(session: Session, args: list[str]) -> None:
    """Show the sizes of caches that can be set: there are none."""
    if not args:
        session.for_each(lambda dpif: session.print(f"{dpif.full_name}:\n"))
        return
    try:
        dpif = session.open(args[0])
    except DpifError as error:
        session.fail(error.errno or EINVAL, f"Opening datapath {args[0]} failed")
    session.print(f"{dpif.full_name}:\n")


def cache_set_size(session: Session, args: list[str]) -> None:
    """Set the size of a cache: there are none whose size can be set."""
    name, _cache, size = args
    if not size[:1].isdigit():
        session.fail(EINVAL, "size is malformed")
    try:
        session.open(name)
    except DpifError as error:
        session.fail(error.errno or EINVAL, f"Opening datapath {name} failed")
    session.fail(ENOTSUP, "Setting caches not supported")
