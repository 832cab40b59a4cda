# SPDX-License-Identifier: Apache-2.0
"""What a dpctl command is given: options, output, and the datapaths that there are."""

from __future__ import annotations

import posix

from ovswitch.datapath.dpif import Dpif, DpifError, enumerate_datapaths
from ovswitch.runtime import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from ovswitch.datapath.dpif import Port
    from ovswitch.datapath.transport import Transport

EINVAL = 22
EAFNOSUPPORT = 97
DEFAULT_TYPE = "system"

#: The counters of a port that `show -s` prints.
STATS = (
    "rx_packets",
    "rx_errors",
    "rx_dropped",
    "rx_over_errors",
    "rx_frame_errors",
    "tx_packets",
    "tx_errors",
    "tx_dropped",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "collisions",
    "rx_bytes",
    "tx_bytes",
)


_DUMMY_STATS = ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes")


class CommandFailedError(Exception):
    """A command failed, having said why; `errno` is its result."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


class Environment:
    """The datapaths within reach, and what must be asked of others.

    Attributes:
        transports: the transport of each datapath type, in the order of enumeration.
        announce: called once, before the first look at any datapath.
        missing: types that are known but can't be reached here, with the errno that
            says so (the kernel's, without its module).
        warn: where to log, given a text.
        port_config: a port's configuration, for `show` (a tunnel's options).
        port_stats: a port's counters by name (see `STATS`), those known.
        set_port_config: change a port's configuration; returns an error text or "".
        open_device: make sure that a device of a type can be opened; raises OSError.
        bring_up: bring a network device up.
    """

    __slots__ = (
        "_is_used",
        "announce",
        "bring_up",
        "missing",
        "open_device",
        "port_config",
        "port_stats",
        "set_port_config",
        "transports",
        "warn",
    )

    def __init__(self, transports: Mapping[str, Transport]) -> None:
        self.transports = dict(transports)
        self.missing: dict[str, int] = {}
        self._is_used = False
        self.announce: Callable[[], None] = lambda: None
        self.warn: Callable[[str], None] = lambda _text: None
        self.port_config: Callable[[Port], dict[str, str]] = lambda _port: {}
        self.port_stats: Callable[[Port], dict[str, int]] = vport_stats
        self.set_port_config: Callable[[Port, dict[str, str]], str] = (
            lambda _port, _config: ""
        )
        self.open_device: Callable[[str, str], None] = lambda _name, _type: None
        self.bring_up: Callable[[str], None] = lambda _name: None

    def use(self) -> None:
        """Note that datapaths are about to be looked at."""
        if not self._is_used:
            self._is_used = True
            self.announce()


def vport_stats(port: Port) -> dict[str, int]:
    """Return the counters that the datapath itself keeps."""
    if port.stats is None:
        return {}
    if port.type.startswith("dummy"):
        # Dummy devices count no errors, and say so.
        return dict(zip(_DUMMY_STATS, port.stats, strict=False))
    names = (
        "rx_packets",
        "tx_packets",
        "rx_bytes",
        "tx_bytes",
        "rx_errors",
        "tx_errors",
        "rx_dropped",
        "tx_dropped",
    )
    return dict(zip(names, port.stats, strict=True))


def error_text(errno: int) -> str:
    """Return an error number's text; the reference gives some a meaning of its own."""
    if errno == -1:
        return "End of file"
    if errno < 0:
        return f"***unknown return value: {errno}***"
    return posix.strerror(errno)


class Session:
    """One command's run.

    `write` takes (text, whether it is an error). `names` and `verbosity` are
    --names and the count of -m.
    """

    __slots__ = (
        "environment",
        "is_appctl",
        "may_create",
        "names",
        "print_statistics",
        "read_only",
        "usage",
        "verbosity",
        "write",
        "zero_statistics",
    )

    def __init__(
        self, environment: Environment, write: Callable[[str, bool], None]
    ) -> None:
        self.environment = environment
        self.write = write
        self.is_appctl = False
        self.may_create = False
        self.names = False
        self.print_statistics = False
        self.read_only = False
        self.verbosity = 0
        self.zero_statistics = False
        self.usage: Callable[[], None] | None = None

    def print(self, text: str) -> None:
        """Put out text as it is."""
        self.write(text, False)

    def error(self, errno: int, text: str) -> None:
        """Put out "program: text (error)"."""
        suffix = f" ({error_text(errno)})" if errno else ""
        self.write(f"{program.prefix()}: {text}{suffix}\n", True)

    def fail(self, errno: int, text: str) -> NoReturn:
        """Put out an error and end the command.

        Raises: CommandFailedError.
        """
        self.error(errno, text)
        raise CommandFailedError(errno)

    # Datapaths.

    def enumerate(self) -> tuple[list[tuple[str, str]], int]:
        """Return (type, name) of all datapaths, and the last error met."""
        self.environment.use()
        found = []
        errno = 0
        for dp_type, transport in self.environment.transports.items():
            try:
                names = enumerate_datapaths(transport)
            except DpifError as error:
                errno = error.errno or EINVAL
                self._warn_enumeration(dp_type, errno)
                continue
            found += [(dp_type, name) for name in sorted(names)]
        for dp_type, reason in self.environment.missing.items():
            errno = reason
            self._warn_enumeration(dp_type, errno)
        return found, errno

    def _warn_enumeration(self, dp_type: str, errno: int) -> None:
        self.environment.warn(
            f"failed to enumerate {dp_type} datapaths: {error_text(errno)}"
        )

    def _transport(self, dp_type: str) -> Transport:
        self.environment.use()
        transport = self.environment.transports.get(dp_type)
        if transport is None:
            errno = self.environment.missing.get(dp_type, EAFNOSUPPORT)
            if errno == EAFNOSUPPORT:
                self.environment.warn(
                    f"could not create datapath of unknown type {dp_type}"
                )
            raise DpifError(errno, error_text(errno))
        return transport

    def open(self, argument: str, *, create: bool = False) -> Dpif:
        """Open "[type@]name", or make it.

        Raises: DpifError.
        """
        dp_type, name = parse_name(argument)
        transport = self._transport(dp_type)
        if create:
            return Dpif.create(transport, name, upcalls=False)
        return Dpif.open(transport, name)

    def exists(self, argument: str) -> bool:
        """Return whether the argument is the name of a datapath."""
        self.environment.use()
        dp_type, name = parse_name(argument)
        if dp_type in self.environment.missing:
            self._warn_enumeration(dp_type, self.environment.missing[dp_type])
            return False
        transport = self.environment.transports.get(dp_type)
        if transport is None:
            return False
        try:
            return name in enumerate_datapaths(transport)
        except DpifError:
            return False

    def has_datapath(self, args: list[str]) -> bool:
        """Return whether the first argument is the name of a datapath."""
        return bool(args) and self.exists(args[0])

    def open_optional(self, args: list[str], most: int) -> Dpif:
        """Open the datapath that the first argument names, or the only one.

        Args:
            args: the command's arguments.
            most: with how many of them the first must be a datapath.

        Raises: CommandFailedError: having said why.
        """
        name: str | None = None
        if self.has_datapath(args):
            name = args[0]
        elif len(args) != most:
            name = self._only_datapath()
        if name is None:
            self.fail(EINVAL, "datapath not found")
        try:
            return self.open(name)
        except DpifError as error:
            self.fail(error.errno or EINVAL, "opening datapath")

    def _only_datapath(self) -> str | None:
        found, _errno = self.enumerate()
        if len(found) == 1:
            return "@".join(found[0])
        problem = "multiple datapaths, specify one" if found else "no datapaths exist"
        self.error(0, problem)
        return None

    def for_each(self, function: Callable[[Dpif], None]) -> None:
        """Call a function with every datapath.

        Raises: CommandFailedError: one couldn't be opened, or none be found.
        """
        found, failure = self.enumerate()
        open_failure = 0
        for dp_type, name in found:
            try:
                dpif = self.open(f"{dp_type}@{name}")
            except DpifError as error:
                open_failure = error.errno or EINVAL
                self.error(open_failure, f"opening datapath {name} failed")
                continue
            function(dpif)
        if open_failure or (failure and not found):
            raise CommandFailedError(open_failure or failure)


def parse_name(argument: str) -> tuple[str, str]:
    """Return a datapath's type and name."""
    dp_type, separator, name = argument.partition("@")
    return (dp_type or DEFAULT_TYPE, name) if separator else (DEFAULT_TYPE, argument)
