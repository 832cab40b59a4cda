# SPDX-License-Identifier: Apache-2.0
"""Commands about a datapath's flows: dump, add, change, get, delete, from files too."""

from __future__ import annotations

import posix

from ovswitch.datapath.dpctl.session import EINVAL, CommandFailedError, Session
from ovswitch.datapath.dpif import Dpif, DpifError, Flow, ufid
from ovswitch.datapath.odp.action_parse import parse_actions
from ovswitch.datapath.odp.action_text import format_actions
from ovswitch.datapath.odp.key_parse import OdpError, parse_key, parse_ufid
from ovswitch.datapath.odp.key_text import format_key, format_ufid
from ovswitch.datapath.odp.scan import ScanError, Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ENOENT = 2
_UFID_TEXT_SIZE = 41  # of "ufid:" and a UUID
_TCP_FLAG_LETTERS = "FSRP.UECN"
_TYPES = (
    "ovs",
    "tc",
    "dpdk",
    "offloaded",
    "non-offloaded",
    "partially-offloaded",
)
_NON_PMD = -1
_SPACE = " \t\r\n"


def format_flow(
    flow: Flow, now: int, ports: dict[int, str] | None, *, verbosity: int = 0
) -> str:
    """Return a flow as dump-flows shows it.

    Args:
        flow: the flow.
        now: ms on the clock of `flow.used`.
        ports: names to show for ports.
        verbosity: above 0 with identifier and all wildcarded fields.
    """
    verbose = verbosity > 0
    text = f"{format_ufid(flow.ufid)}, " if verbose and flow.ufid else ""
    text += format_key(flow.key, flow.mask, ports, verbose=verbose)
    text += ", " + format_stats(flow, now)
    if verbose:
        if flow.offloaded:
            how = "partial" if flow.dp_layer == "ovs" else "yes"
            text += f", offloaded:{how}"
        text += f", dp:{flow.dp_layer}"
    text += ", actions:" + format_actions(flow.actions, ports)
    if verbose and flow.dp_extra_info:
        text += f", dp-extra-info:{flow.dp_extra_info}"
    return text


def format_stats(flow: Flow, now: int) -> str:
    """Return a flow's statistics."""
    text = f"packets:{flow.n_packets}, bytes:{flow.n_bytes}, used:"
    text += f"{(now - flow.used) / 1000:.3f}s" if flow.used else "never"
    if flow.tcp_flags:
        text += ", flags:" + format_tcp_flags(flow.tcp_flags)
    return text


def format_tcp_flags(flags: int) -> str:
    """Return TCP flags as letters, the rest in brackets as a number."""
    text = "".join(
        letter for bit, letter in enumerate(_TCP_FLAG_LETTERS) if flags >> bit & 1
    )
    rest = flags >> len(_TCP_FLAG_LETTERS) << len(_TCP_FLAG_LETTERS)
    return text + (f"[{rest:x}]" if rest else "")


def _port_names(session: Session, dpif: Dpif) -> dict[int, str] | None:
    if not session.names:
        return None
    return {port.port_no: port.name for port in dpif.port_dump()}


class _DumpOptions:
    """The words of dump-flows that aren't a datapath's name."""

    __slots__ = ("filter", "pmd", "types")

    def __init__(self) -> None:
        self.filter: str | None = None
        self.types: str | None = None
        self.pmd: int | None = None


def _take_dump_options(session: Session, args: list[str]) -> _DumpOptions:
    """Take the options off the end of the arguments."""
    options = _DumpOptions()
    while args:
        word = args[-1]
        if word.startswith("filter=") and options.filter is None:
            options.filter = word[len("filter=") :]
        elif word.startswith("type=") and options.types is None:
            if not session.is_appctl:
                session.error(
                    0,
                    "Invalid argument 'type'. "
                    "Use 'ovs-appctl dpctl/dump-flows' instead.",
                )
                raise CommandFailedError(EINVAL)
            options.types = word[len("type=") :]
        elif word.startswith("pmd="):
            number = Scanner(word, len("pmd=")).decimal(32)
            if number is None:
                raise CommandFailedError(EINVAL)
            options.pmd = _NON_PMD if number == 0xFFFFFFFF else number
        else:
            break
        args.pop()
    return options


def dump_flows(session: Session, args: list[str]) -> None:
    """Show the flows, of all kinds or those asked for."""
    args = list(args)
    options = _take_dump_options(session, args)
    dpif = session.open_optional(args, 1)
    ports = _port_names(session, dpif)
    passes = None
    if options.filter is not None:
        passes = _parse_filter(session, dpif, options.filter)
    types = _parse_types(session, options.types)
    title = "" if options.pmd is not None else _title(dpif)
    if options.pmd not in (None, _NON_PMD):
        return  # there are no such threads
    try:
        for flow in dpif.flow_dump():
            if not _has_type(flow, types):
                continue
            if passes is not None and not passes(flow):
                continue
            session.print(f"{title}{_format(session, dpif, flow, ports)}\n")
            title = ""
    except DpifError as error:
        session.fail(error.errno or EINVAL, "Failed to dump flows from datapath")


def _format(
    session: Session, dpif: Dpif, flow: Flow, ports: dict[int, str] | None
) -> str:
    if session.verbosity and dpif.is_userspace:
        from ovswitch.datapath.dpctl.extra import extra_info

        flow.dp_extra_info = extra_info(flow)
    now = dpif.transport.now()
    return format_flow(flow, now, ports, verbosity=session.verbosity)


def _title(dpif: Dpif) -> str:
    """Return what stands before the flows of a userspace datapath."""
    return "flow-dump from the main thread:\n" if dpif.is_userspace else ""


def _parse_types(session: Session, text: str | None) -> set[str]:
    if text is None:
        return set(_TYPES)
    types: set[str] = set()
    for word in text.split(","):
        if word == "all":
            types.update(_TYPES)
        elif word in _TYPES:
            types.add(word)
        elif word or text:
            session.fail(EINVAL, f"Failed to parse type ({word})")
    return types


def _has_type(flow: Flow, types: set[str]) -> bool:
    if flow.dp_layer in types:
        return True
    if not flow.offloaded:
        return "non-offloaded" in types
    kind = "partially-offloaded" if flow.dp_layer == "ovs" else "offloaded"
    return kind in types


def _parse_filter(session: Session, dpif: Dpif, text: str) -> Callable[[Flow], bool]:
    from ovswitch.datapath.dpctl.filter import FilterError, flow_filter

    names = {port.name: port.port_no for port in dpif.port_dump()}
    try:
        return flow_filter(text, names)
    except FilterError as error:
        session.error(0, f"Failed to parse filter ({error})")
        raise CommandFailedError(EINVAL) from error


def _split_ufid(session: Session, text: str) -> tuple[bytes | None, str]:
    """Return the identifier that a flow's text begins with, and the rest."""
    try:
        found = parse_ufid(text)
    except ScanError as error:
        session.error(error.errno, "parsing flow ufid")
        raise CommandFailedError(error.errno) from error
    return found, text if found is None else text[_UFID_TEXT_SIZE:]


def _port_numbers(dpif: Dpif) -> dict[str, int]:
    return {port.name: port.port_no for port in dpif.port_dump()}


def _put(
    session: Session,
    dpif: Dpif,
    key_text: str,
    actions_text: str,
    *,
    create: bool,
    modify: bool,
    clear: bool = False,
) -> None:
    ident, key_text = _split_ufid(session, key_text)
    try:
        key, mask = parse_key(key_text, _port_numbers(dpif))
    except OdpError as error:
        session.fail(error.errno, f"parsing flow key ({error})")
    try:
        actions = parse_actions(actions_text)
    except OdpError as error:
        session.fail(error.errno, "parsing actions")
    if ident is None and session.is_appctl:
        ident = ufid(key)
    op = dpif.flow_put(
        key,
        mask or None,
        actions,
        ident,
        create=create,
        modify=modify,
        clear=clear,
        echo=session.print_statistics,
    )
    try:
        flow = dpif.do(op)
    except DpifError as error:
        session.fail(error.errno or EINVAL, "updating flow table")
    _print_statistics(session, dpif, flow)


def _print_statistics(session: Session, dpif: Dpif, flow: Flow | None) -> None:
    if session.print_statistics:
        text = format_stats(flow or Flow(), dpif.transport.now())
        session.print(f"{text}\n")


def add_flow(session: Session, args: list[str]) -> None:
    """Add a flow."""
    dpif = session.open_optional(args, 3)
    _put(session, dpif, args[-2], args[-1], create=True, modify=False)


def mod_flow(session: Session, args: list[str]) -> None:
    """Change a flow's actions."""
    dpif = session.open_optional(args, 3)
    _put(
        session,
        dpif,
        args[-2],
        args[-1],
        create=session.may_create,
        modify=True,
        clear=session.zero_statistics,
    )


def get_flow(session: Session, args: list[str]) -> None:
    """Show the flow with an identifier."""
    dpif = session.open_optional(args, 2)
    ports = _port_names(session, dpif)
    try:
        ident, _rest = _split_ufid(session, args[-1])
    except CommandFailedError:
        return  # the reference says so and succeeds
    if ident is None:
        session.error(0, "parsing flow ufid")
        return
    try:
        flow = dpif.flow_get(b"", ident)
    except DpifError as error:
        session.fail(error.errno or EINVAL, "getting flow")
    session.print(f"{_format(session, dpif, flow, ports)}\n")


def _delete(session: Session, dpif: Dpif, key_text: str) -> None:
    ident, key_text = _split_ufid(session, key_text)
    generated = ident is None
    try:
        key, _mask = parse_key(key_text, _port_numbers(dpif))
    except OdpError as error:
        session.fail(error.errno, str(error))
    if ident is None and session.is_appctl:
        ident = ufid(key)
    try:
        flow = dpif.do(dpif.flow_del(key, ident, echo=session.print_statistics))
    except DpifError as error:
        errno = error.errno or EINVAL
        session.error(errno, "deleting flow")
        if errno == ENOENT and generated:
            session.print("Perhaps you need to specify a UFID?\n")
        raise CommandFailedError(errno) from error
    _print_statistics(session, dpif, flow)


def del_flow(session: Session, args: list[str]) -> None:
    """Delete a flow."""
    dpif = session.open_optional(args, 2)
    _delete(session, dpif, args[-1])


def add_flows(session: Session, args: list[str]) -> None:
    """Add the flows of a file."""
    _process_file(session, args, "add")


def mod_flows(session: Session, args: list[str]) -> None:
    """Change the flows of a file."""
    _process_file(session, args, "modify")


def del_flows(session: Session, args: list[str]) -> None:
    """Delete all flows, or those of a file."""
    if len(args) > 1 or (args and not session.has_datapath(args)):
        _process_file(session, args, "delete")
        return
    dpif = session.open_optional(args, 1)
    try:
        dpif.flow_flush()
    except DpifError as error:
        session.fail(error.errno or EINVAL, "deleting all flows")


def _process_file(session: Session, args: list[str], command: str) -> None:
    """Do each line of a file; what fails is reported, and the rest goes on."""
    dpif = session.open_optional(args, 3)
    try:
        text = _read_file(args[-1])
    except OSError as error:
        session.error(error.errno or EINVAL, f'Opening file "{args[-1]}" failed')
        return
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0]
        if not line.strip(_SPACE):
            continue
        try:
            _process_line(session, dpif, line, command, number)
        except CommandFailedError:
            continue


def _read_file(name: str) -> str:
    descriptor = 0 if name == "-" else posix.open(name, posix.O_RDONLY)
    chunks = []
    try:
        while chunk := posix.read(descriptor, 1 << 16):
            chunks.append(chunk)
    finally:
        if descriptor:
            posix.close(descriptor)
    return b"".join(chunks).decode("utf-8", "surrogateescape")


def _process_line(
    session: Session, dpif: Dpif, line: str, command: str, number: int
) -> None:
    scanner = Scanner(line)
    scanner.skip(_SPACE)
    start = scanner.at
    word = scanner.until(", \t\r\n")
    for known in ("add", "delete", "modify"):
        # Any beginning of a command's name will do, as with the reference.
        if known.startswith(word):
            command = known
            break
    else:
        scanner.at = start
    scanner.skip(_SPACE)
    flow = scanner.until(_SPACE)
    scanner.skip(_SPACE)
    actions = scanner.rest()
    if not flow or (command == "delete") == bool(actions):
        session.error(0, f"Failed parsing line number {number}, skipped!")
        return
    if command == "delete":
        _delete(session, dpif, flow)
    else:
        is_add = command == "add"
        _put(session, dpif, flow, actions, create=is_add, modify=not is_add)
