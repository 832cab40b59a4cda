# SPDX-License-Identifier: Apache-2.0
"""Commands about connection tracking and reassembly.

The forwarder tracks no connections yet: each command checks what it was given and
then answers as the reference does for a datapath that can't.
"""

from __future__ import annotations

from ovswitch.datapath.dpctl.session import EINVAL, CommandFailedError, Session
from ovswitch.datapath.odp.scan import Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ENOTSUP = 95


def _has_number(text: str) -> bool:
    return Scanner(text).decimal(32) is not None


def _is_zone(word: str) -> bool:
    return word.startswith("zone=") and _has_number(word[len("zone=") :])


def _simple(most: int, problem: str) -> Callable[[Session, list[str]], None]:
    """Return a command that takes a datapath, and fails."""

    def command(session: Session, args: list[str]) -> None:
        session.open_optional(args, most)
        session.fail(ENOTSUP, problem)

    return command


def dump_conntrack(session: Session, args: list[str]) -> None:
    """Show connections."""
    if args and _is_zone(args[-1]):
        args = args[:-1]
    session.open_optional(args, 1)
    session.fail(ENOTSUP, "starting conntrack dump")


def ct_stats_show(session: Session, args: list[str]) -> None:
    """Count connections by protocol."""
    args = list(args)
    while args and (_is_zone(args[-1]) or args[-1] == "verbose"):
        args.pop()
    session.open_optional(args, 1)
    session.fail(ENOTSUP, "starting conntrack dump")


def ct_bkts(session: Session, args: list[str]) -> None:
    """Count connections by hash bucket."""
    args = list(args)
    if args and args[-1].startswith("gt="):
        args.pop()
    session.open_optional(args, 1)
    session.fail(ENOTSUP, "starting conntrack dump")


_TUPLE_FIELDS = frozenset((
    "ct_nw_src", "ct_nw_dst", "ct_ipv6_src", "ct_ipv6_dst", "ct_nw_proto", "ct_tp_src",
    "ct_tp_dst", "icmp_type", "icmp_code", "icmp_id",
))  # fmt: skip


def _tuple_problem(text: str) -> str | None:
    """Return what is wrong with the fields of a connection's tuple, if anything is."""
    for part in text.replace(" ", ",").split(","):
        key, _, value = part.partition("=")
        if part and not value:
            return f"field {key} missing value"
        if part and key not in _TUPLE_FIELDS:
            return f"invalid conntrack tuple field: {key}"
    return None


def flush_conntrack(session: Session, args: list[str]) -> None:
    """Drop connections: [zone=N] [TUPLE [TUPLE]]; a datapath goes before none."""
    has_zone = bool(args) and args[0].startswith("zone=")
    if has_zone and not _is_zone(args[0]):
        session.fail(EINVAL, "failed to parse zone")
    words = args[has_zone:]
    for word in words[:2]:
        problem = _tuple_problem(word)
        if problem is not None:
            session.fail(EINVAL, problem)
    if len(words) > 3:
        session.fail(EINVAL, "invalid arguments")
    try:
        session.open_optional(args, 4)
    except CommandFailedError as error:
        session.fail(error.errno, "Cannot open dpif")
    session.fail(ENOTSUP, "failed to flush conntrack")


def ct_set_maxconns(session: Session, args: list[str]) -> None:
    """Set how many connections there may be."""
    session.open_optional(args, 2)
    if not _has_number(args[-1]):
        session.fail(EINVAL, "maxconns missing or malformed")
    session.fail(ENOTSUP, "ct set maxconns failed")


def ct_set_limits(session: Session, args: list[str]) -> None:
    """Set limits of connections by zone."""
    has_datapath = session.has_datapath(args)
    session.open_optional(args, -1)
    words = args[1:] if has_datapath else args
    if words and words[0].startswith("default="):
        if not _has_number(words[0][len("default=") :]):
            session.fail(EINVAL, "invalid default limit")
        words = words[1:]
    for word in words:
        problem = _limit_problem(word)
        if problem is not None:
            session.fail(EINVAL, problem)
    session.fail(ENOTSUP, "failed to set conntrack limit")


def _limit_problem(word: str) -> str | None:
    """Return what is wrong with "zone=N,limit=L", None if nothing is."""
    fields = dict.fromkeys(("zone", "limit"), False)
    for part in word.split(","):
        key, separator, value = part.partition("=")
        if not separator:
            return f"field {key} missing value"
        if key not in fields:
            return f"invalid zone limit field: {key}"
        if not _has_number(value):
            return "failed to parse field " + key
        fields[key] = True
    return None if all(fields.values()) else "failed to parse zone limit"


def _check_zones(session: Session, word: str) -> None:
    if not word.startswith("zone="):
        session.fail(EINVAL, f"invalid argument {word}")
    if not all(_has_number(zone) for zone in word[len("zone=") :].split(",")):
        session.fail(EINVAL, "invalid zone")


def ct_del_limits(session: Session, args: list[str]) -> None:
    """Remove limits."""
    has_datapath = session.has_datapath(args)
    session.open_optional(args, 2)
    words = args[1:] if has_datapath else args
    _check_zones(session, words[0] if words else "")
    session.fail(ENOTSUP, "failed to delete conntrack limit")


def ct_get_limits(session: Session, args: list[str]) -> None:
    """Show limits."""
    has_datapath = session.has_datapath(args)
    session.open_optional(args, 2)
    words = args[1:] if has_datapath else args
    if words:
        _check_zones(session, words[0])
    session.fail(ENOTSUP, "failed to get conntrack limit")


def _is_version(word: str) -> bool:
    return word.startswith(("v4", "v6"))


def _ipf_enable(verb: str) -> Callable[[Session, list[str]], None]:
    def command(session: Session, args: list[str]) -> None:
        session.open_optional(args, 3)
        if not _is_version(args[-1]):
            problem = "parameter missing: 'v4' for IPv4 or 'v6' for IPv6"
            session.fail(EINVAL, problem)
        session.fail(ENOTSUP, f"{verb} fragmentation reassembly failed")

    return command


def ipf_set_min_frag(session: Session, args: list[str]) -> None:
    """Set the smallest fragment that is taken."""
    session.open_optional(args, 3)
    if not _is_version(args[-2]):
        session.fail(EINVAL, "parameter missing: v4 for IPv4 or v6 for IPv6")
    if not _has_number(args[-1]):
        session.fail(EINVAL, "parameter missing for minimum fragment size")
    session.fail(
        ENOTSUP, "requested minimum fragment size too small; see documentation"
    )


def ipf_set_max_nfrags(session: Session, args: list[str]) -> None:
    """Set how many fragments may wait."""
    session.open_optional(args, 2)
    if not _has_number(args[-1]):
        session.fail(EINVAL, "parameter missing for maximum fragments")
    session.fail(ENOTSUP, "setting maximum fragments failed")


ct_get_maxconns = _simple(1, "maxconns could not be retrieved")
ct_get_nconns = _simple(1, "nconns could not be retrieved")
ct_enable_tcp_seq_chk = _simple(2, "enabling TCP sequence checking failed")
ct_disable_tcp_seq_chk = _simple(2, "disabling TCP sequence checking failed")
ct_get_tcp_seq_chk = _simple(1, "TCP sequence checking query failed")
ipf_set_enabled = _ipf_enable("enabling")
ipf_set_disabled = _ipf_enable("disabling")
ipf_get_status = _simple(1, "ipf status could not be retrieved")
