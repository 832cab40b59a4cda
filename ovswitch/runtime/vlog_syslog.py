# SPDX-License-Identifier: Apache-2.0
"""The ways to syslog that `--syslog-method` and OVS_SYSLOG_METHOD name.

"libc" uses the C library's syslog(), "unix:FILE" and "udp:IP:PORT" send RFC 3164
datagrams themselves, "null" drops everything.
"""

from __future__ import annotations

import posix

from ovswitch.runtime import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket


class Logger:
    """A way to syslog, this one to nowhere; `prefix` precedes its messages."""

    prefix = ""

    def open(self, facility: int) -> None:
        """Get ready; messages without a facility get this one."""

    def write(self, priority: int, line: str) -> None:
        """Send one line, losing it if syslog isn't there."""


class LibcLogger(Logger):
    """The C library's syslog()."""

    prefix = "<%B> %D{%h %e %T} %E %A:"

    def open(self, facility: int) -> None:
        """Name the program to syslog."""
        import syslog

        syslog.openlog(program.name, syslog.LOG_NDELAY, facility)

    def write(self, priority: int, line: str) -> None:
        """Send one line."""
        import syslog

        syslog.syslog(
            priority, line.replace("\0", "").encode("utf-8", "replace").decode()
        )


class DirectLogger(Logger):
    """Datagrams of our own to a unix socket or a UDP port."""

    prefix = "<%B>"

    def __init__(self, target: str) -> None:
        self.target = target
        self._facility = 0
        self._socket: _socket.socket | None = None

    def open(self, facility: int) -> None:
        """Connect the socket."""
        self._facility = facility
        self._connect()

    def write(self, priority: int, line: str) -> None:
        """Send one line; connect anew if syslog was restarted."""
        if not priority & 0x3F8:
            priority |= self._facility
        octets = f"<{priority}>{line}".encode("utf-8", "surrogateescape")
        for _ in range(2):
            try:
                if self._socket is not None:
                    self._socket.send(octets)
                    return
            except OSError:
                pass
            self._connect()

    def _connect(self) -> None:
        import _socket

        kind, _, place = self.target.partition(":")
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        try:
            if kind == "unix":
                made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
                made.connect(place)
            else:
                host, _, port = place.rpartition(":")
                family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
                made = _socket.socket(family, _socket.SOCK_DGRAM)
                made.connect((host.strip("[]"), int(port)))
            posix.set_blocking(made.fileno(), False)
            self._socket = made
        except (OSError, ValueError):
            pass


def create(method: str) -> Logger | None:
    """Return the way that `method` names, None if there is no such way."""
    if method == "null":
        return Logger()
    if method == "libc":
        return LibcLogger()
    if method.startswith(("udp:", "unix:")):
        return DirectLogger(method)
    return None
