# SPDX-License-Identifier: Apache-2.0
"""The way to the forwarder's process of a run directory.

Two connections: one for requests, which blocks until the answers are there, one for
upcalls, which never blocks. The forwarder is started when something is to be created
and none is there; it detaches itself and stays when we go. A connection that breaks is
made anew at the next request.
"""

from __future__ import annotations

import _socket
import posix

from ovswitch.datapath import families as f
from ovswitch.datapath import netlink
from ovswitch.datapath.transport import Answers, Sequencer, TransportError
from ovswitch.runtime import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.datapath.transport import Request

#: The netdev type of each type of vport.
PORT_TYPES = {f.OVS_VPORT_TYPE_NETDEV: "system", f.OVS_VPORT_TYPE_INTERNAL: "tap"}
SOCKET_NAME = "ovs-forwarder.sock"
_TIMEOUT_S = 10.0  # for an answer, which takes microseconds
_BUFFER_SIZE = 1 << 20  # the largest datagram
_MAX_STALE = 64  # datagrams of upcalls in one receive()
_ETIMEDOUT = 110
_ENODEV = 19
_ECONNREFUSED = 111
_EPROTO = 71
_ENOEXEC = 8
_DUMP = (f.OVS_DATAPATH, f.CMD_GET, 0, netlink.NLM_F_DUMP, b"")


class UserspaceTransport:
    """Messages to and from the forwarder."""

    dp_type = "netdev"
    is_userspace = True
    port_types = PORT_TYPES

    __slots__ = (
        "_buffer",
        "_control",
        "_pid",
        "_rundir",
        "_sequencer",
        "_upcalls",
        "generation",
    )

    def __init__(self, rundir: str) -> None:
        self._rundir = rundir
        self._control: _socket.socket | None = None
        self._upcalls: _socket.socket | None = None
        self._pid = 0
        self._buffer = bytearray()
        self._sequencer = Sequencer()
        self.generation = 0

    @property
    def path(self) -> str:
        """The forwarder's socket."""
        return f"{self._rundir}/{SOCKET_NAME}"

    # Connections.

    def _connect(self) -> _socket.socket:
        """Return a new connection; raises TransportError where nobody listens."""
        one = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        folder = -1
        try:
            name = self.path
            if len(name.encode()) > 100:
                # Longer names don't fit a socket address; one through /proc does.
                folder = posix.open(self._rundir, posix.O_RDONLY | posix.O_CLOEXEC)
                name = f"/proc/self/fd/{folder}/{SOCKET_NAME}"
            one.settimeout(_TIMEOUT_S)
            one.connect(name)
        except OSError as error:
            one.close()
            raise TransportError(error.errno, str(error)) from error
        finally:
            if folder >= 0:
                posix.close(folder)
        return one

    def is_running(self) -> bool:
        """Return whether the forwarder answers."""
        if self._control is not None:
            return True
        try:
            self._control = self._connect()
        except TransportError:
            return False
        self.generation += 1
        return True

    def start(self) -> None:
        """Start the forwarder unless it is running.

        Raises: TransportError: it can't be.
        """
        if not self.is_running():
            start_forwarder(self._rundir)
            if not self.is_running():
                raise TransportError(_ECONNREFUSED, "ovs-forwarder does not answer")

    def _reset(self) -> None:
        for one in (self._control, self._upcalls):
            if one is not None:
                one.close()
        self._control = self._upcalls = None
        self._pid = 0

    def close(self) -> None:
        """Close the connections; the forwarder and its datapaths stay."""
        self._reset()

    # Requests.

    def transact(self, requests: Sequence[Request]) -> list[list[netlink.Message]]:
        """Return each request's answers, in order.

        Raises: TransportError: nobody answers.
        """
        if not self.is_running():
            if not _has(requests, f.CMD_NEW):
                return [_nothing(request) for request in requests]
            self.start()
        answers = self._exchange(requests)
        if _has(requests, f.CMD_DEL):
            self._drop_if_ending()
        return answers

    def _drop_if_ending(self) -> None:
        """Close the connections to a forwarder that has deleted its last datapath."""
        try:
            [answer] = self._exchange([_DUMP])
        except TransportError:
            return
        if len(answer) <= 1:  # only the end of the dump
            self._reset()

    def _exchange(self, requests: Sequence[Request]) -> list[list[netlink.Message]]:
        """Do what `transact()` does, and drop a connection that fails."""
        try:
            return self._transact(requests)
        except OSError as error:
            self._reset()
            errno = error.errno if error.errno is not None else _ETIMEDOUT
            raise TransportError(errno, str(error)) from error
        except netlink.NetlinkError as error:
            self._reset()
            raise TransportError(_EPROTO, str(error)) from error

    def _transact(self, requests: Sequence[Request]) -> list[list[netlink.Message]]:
        control = self._control
        assert control is not None
        first, octets = self._sequencer.number(requests)
        control.send(b"".join(octets))
        answers = Answers(first, len(requests))
        while not answers.complete:
            for one in netlink.split(self._receive(control)):
                answers.add(one)
        return answers.replies

    def _receive(self, one: _socket.socket) -> bytes:
        """Return one datagram.

        Raises: OSError: there is none, or the peer is gone.
        """
        if not self._buffer:
            self._buffer = bytearray(_BUFFER_SIZE)
        size = one.recv_into(self._buffer)
        if not size:
            raise TransportError(_ECONNREFUSED, "the forwarder is gone")
        return bytes(self._buffer[:size])

    def post(self, requests: Sequence[Request]) -> None:
        """Send requests whose success needs no answer.

        Raises: TransportError.
        """
        if not self.is_running():
            raise TransportError(_ECONNREFUSED, "the forwarder is gone")
        control = self._control
        assert control is not None
        silent = [
            (family, cmd, index, flags & ~netlink.NLM_F_ACK, attributes)
            for family, cmd, index, flags, attributes in requests
        ]
        _first, octets = self._sequencer.number(silent)
        try:
            control.send(b"".join(octets))
        except OSError as error:
            self._reset()
            raise TransportError(error.errno, str(error)) from error

    # Upcalls.

    def upcall_pid(self) -> int:
        """Return the forwarder's number for our upcall connection.

        Raises: TransportError.
        """
        if self._upcalls is None:
            try:
                self._open_upcalls()
            except TransportError:
                # It was about to end; start another one.
                self._reset()
                self._open_upcalls()
        return self._pid

    def _open_upcalls(self) -> None:
        self.start()
        upcalls = self._connect()
        try:
            self._pid = self._ask_pid(upcalls)
        except (OSError, netlink.NetlinkError) as error:
            upcalls.close()
            errno = getattr(error, "errno", _EPROTO) or _ETIMEDOUT
            raise TransportError(errno, str(error)) from error
        upcalls.setblocking(False)
        self._upcalls = upcalls

    def _ask_pid(self, upcalls: _socket.socket) -> int:
        """Ask for anything: the answer has our number."""
        first, octets = self._sequencer.number([_DUMP])
        upcalls.send(octets[0])
        answers = Answers(first, 1)
        while not answers.complete:
            for one in netlink.split(self._receive(upcalls)):
                answers.add(one)
        return answers.replies[0][-1].pid

    def fileno(self) -> int:
        """Return a descriptor that is readable when upcalls wait.

        Raises: TransportError.
        """
        self.upcall_pid()
        assert self._upcalls is not None
        return self._upcalls.fileno()

    def receive(self, limit: int) -> list[netlink.Message]:
        """Return up to about `limit` upcall messages without waiting.

        Raises: TransportError: the forwarder is gone.
        """
        messages: list[netlink.Message] = []
        if self._upcalls is None:
            return messages
        for _ in range(_MAX_STALE):
            if len(messages) >= limit:
                break
            try:
                datagram = self._receive(self._upcalls)
            except BlockingIOError:
                break
            except OSError as error:
                self._reset()
                raise TransportError(error.errno, str(error)) from error
            try:
                messages += netlink.split(datagram)
            except netlink.NetlinkError as error:
                self._reset()
                raise TransportError(_EPROTO, str(error)) from error
        return messages

    def preferred_port(self, name: str) -> int | None:
        """Leave the choice of a port's number to the forwarder."""

    def now(self) -> int:
        """Return the kernel's monotonic time, which the forwarder counts in."""
        return clock.real_now()


def _has(requests: Sequence[Request], command: int) -> bool:
    """Return whether a datapath is made or deleted, as `command` says."""
    return any(
        family == f.OVS_DATAPATH and cmd == command for family, cmd, _, _, _ in requests
    )


def _nothing(request: Request) -> list[netlink.Message]:
    """Return what a forwarder without datapaths would answer."""
    family, _cmd, _index, flags, _attributes = request
    if family == f.OVS_DATAPATH and flags & netlink.NLM_F_DUMP == netlink.NLM_F_DUMP:
        end = netlink.Message(netlink.NLMSG_DONE, 0, 0, 0)
        end.done = True
        return [end]
    error = netlink.Message(netlink.NLMSG_ERROR, 0, 0, 0)
    error.error = _ENODEV
    return [error]


def forwarder_path() -> str:
    """Return the forwarder's executable, beside the native package."""
    from ovswitch import native

    folder = (native.__file__ or "").rpartition("/")[0]
    return f"{folder}/ovs-forwarder"


def start_forwarder(rundir: str) -> None:
    """Start the forwarder of a run directory and wait until it listens.

    Raises: TransportError: there is no executable, or it failed.
    """
    path = forwarder_path()
    command = [path, "--rundir", rundir, "--detach"]
    try:
        pid = posix.posix_spawn(path, command, posix.environ)
    except OSError as error:
        text = f"{path}: {error.strerror or error}"
        raise TransportError(error.errno or _ENOEXEC, text) from error
    _, status = posix.waitpid(pid, 0)
    if status:
        raise TransportError(_ECONNREFUSED, f"{path} failed (status {status:#x})")
