# SPDX-License-Identifier: Apache-2.0
"""Connections that never block, as `ovs.stream`.

Errors are numbers: what returns one returns 0 for success and EAGAIN for "not now".
Keys and certificates are the process's, set with the `ssl_set_...` functions.
"""

from __future__ import annotations

import errno
import os
import socket

from ovswitch.bindings import poller as _poller
from ovswitch.bindings import timeval
from ovswitch.bindings.vlog import quiet
from ovswitch.runtime import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

    from ovswitch.bindings.poller import Poller

_OVSDB_PORT = target.OVSDB_PORT


def stream_or_pstream_needs_probes(name: str) -> bool | None:
    """Whether only probes can tell that such a peer is gone; None: no such method."""
    if not target.is_active(name) and not target.is_passive(name):
        return None
    return target.needs_probes(name)


class Stream:
    """A connection, perhaps still in the making."""

    W_CONNECT = 0
    W_RECV = 1
    W_SEND = 2

    IPTOS_PREC_INTERNETCONTROL = 0xC0
    DSCP_DEFAULT = IPTOS_PREC_INTERNETCONTROL >> 2

    _SSL_private_key_file: str | None = None
    _SSL_certificate_file: str | None = None
    _SSL_ca_cert_file: str | None = None

    def __init__(self, sock: socket.socket, name: str, status: int) -> None:
        """Take a socket over; `status` is 0 if connected, EAGAIN if not yet."""
        self.socket: socket.socket | ssl.SSLSocket | None = sock
        self.name = name
        self.error = 0 if status == errno.EAGAIN else status
        self._is_connecting = status == errno.EAGAIN
        self._handshake: ssl.SSLSocket | None = None
        self._wants_write = True

    @staticmethod
    def is_valid_name(name: str) -> bool:
        """Whether `name` is a connection method with which we connect."""
        return target.is_active(name)

    @staticmethod
    def open(name: str, dscp: int = DSCP_DEFAULT) -> tuple[int, Stream | None]:
        """Begin to connect; return (error, stream)."""
        quiet()
        try:
            where = target.parse_active(name, _OVSDB_PORT)
            if where.is_ssl:
                _ssl_context()  # complains now if something is missing
            sock, status = _begin(where, dscp)
        except OSError as error:
            return error.errno or errno.EPROTO, None
        stream = Stream(sock, name, status)
        if where.is_ssl:
            stream._is_connecting = True
        return 0, stream

    @staticmethod
    def open_block(
        error_stream: tuple[int, Stream | None], timeout: float | None = None
    ) -> tuple[int, Stream | None]:
        """Wait until what `open` returned is connected; return the same pair.

        `timeout` is in milliseconds; None or negative waits forever.
        """
        error, stream = error_stream
        if error or stream is None:
            return error, None
        deadline = None
        if timeout is not None and timeout >= 0:
            deadline = timeval.msec() + timeout
        while (error := stream.connect()) == errno.EAGAIN:
            if deadline is not None and timeval.msec() >= deadline:
                error = errno.ETIMEDOUT
                break
            waiter = _poller.Poller()
            stream.connect_wait(waiter)
            if deadline is not None:
                waiter.timer_wait_until(deadline)
            waiter.block()
        if error:
            stream.close()
            return error, None
        return 0, stream

    def close(self) -> None:
        """Close the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
            self.error = self.error or errno.ENOTCONN

    def connect(self) -> int:
        """Go on connecting; return 0 when that is done, EAGAIN when not yet."""
        if self._is_connecting:
            status = self._go_on()
            if status == errno.EAGAIN:
                return status
            self._is_connecting = False
            self.error = status
        return self.error

    def _go_on(self) -> int:
        assert self.socket is not None
        if self._handshake is None:
            status = _completion(self.socket)
            if status or not self.name.startswith("ssl:"):
                return status
            try:
                self._handshake = _wrap(self.socket)
            except OSError as error:
                return error.errno or errno.EPROTO
            self.socket = self._handshake
        return self._shake_hands(self._handshake)

    def _shake_hands(self, sock: ssl.SSLSocket) -> int:
        import ssl

        try:
            sock.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            self._wants_write = isinstance(error, ssl.SSLWantWriteError)
            return errno.EAGAIN
        except OSError as error:
            return (not isinstance(error, ssl.SSLError) and error.errno) or errno.EPROTO
        return 0

    def recv(self, n: int) -> tuple[int, bytes | str]:
        """Return (error, up to `n` octets); (0, b"") at the end."""
        error = self.connect()
        if error:
            return error, ""
        if n == 0 or self.socket is None:
            return 0, b""
        try:
            return 0, self.socket.recv(n)
        except OSError as error_:
            return _number(error_), ""

    def send(self, buf: bytes | str) -> int:
        """Send what the kernel takes; return how many octets, or a negative error."""
        error = self.connect()
        if error:
            return -error
        if not buf or self.socket is None:
            return 0
        octets = buf.encode() if isinstance(buf, str) else buf
        try:
            return self.socket.send(octets)
        except OSError as error_:
            return -_number(error_)

    def run(self) -> None:
        """Nothing is to be done in between."""

    def run_wait(self, poller: Poller) -> None:
        """Nothing is to be waited for in between."""

    def wait(self, poller: Poller, wait: int) -> None:
        """Wake up when connected, or when there is room, or something to read."""
        if self.socket is None or (self.error and not self._is_connecting):
            poller.immediate_wake()
        elif self._is_connecting:
            is_write = self._handshake is None or self._wants_write
            events = _poller.POLLOUT if is_write else _poller.POLLIN
            poller.fd_wait(self.socket, events)
        elif wait == Stream.W_RECV:
            if self._handshake is not None and self._handshake.pending():
                poller.immediate_wake()
            poller.fd_wait(self.socket, _poller.POLLIN)
        else:
            poller.fd_wait(self.socket, _poller.POLLOUT)

    def connect_wait(self, poller: Poller) -> None:
        """Wake up when `connect` has something to say."""
        self.wait(poller, Stream.W_CONNECT)

    def recv_wait(self, poller: Poller) -> None:
        """Wake up when there is something to read."""
        self.wait(poller, Stream.W_RECV)

    def send_wait(self, poller: Poller) -> None:
        """Wake up when there is room to write."""
        self.wait(poller, Stream.W_SEND)

    def __del__(self) -> None:
        if self.socket is not None:
            self.socket.close()

    @staticmethod
    def ssl_set_private_key_file(file_name: str) -> None:
        """Use a private key in all later SSL connections."""
        Stream._SSL_private_key_file = file_name

    @staticmethod
    def ssl_set_certificate_file(file_name: str) -> None:
        """Use a certificate in all later SSL connections."""
        Stream._SSL_certificate_file = file_name

    @staticmethod
    def ssl_set_ca_cert_file(file_name: str) -> None:
        """Trust a CA's certificates in all later SSL connections."""
        Stream._SSL_ca_cert_file = file_name


class PassiveStream:
    """A socket that peers connect to: "ptcp:" and "punix:"."""

    def __init__(self, sock: socket.socket, name: str, bind_path: str | None) -> None:
        self.socket: socket.socket | None = sock
        self.name = name
        self.bind_path = bind_path

    @staticmethod
    def needs_probes(name: str) -> bool:
        """Whether only probes can tell that such a peer is gone."""
        return not name.startswith("punix:")

    @staticmethod
    def is_valid_name(name: str) -> bool:
        """Whether `name` is a connection method with which we listen."""
        return name.startswith(("punix:", "ptcp:"))

    @staticmethod
    def open(name: str) -> tuple[int, PassiveStream | None]:
        """Begin to listen; return (error, stream)."""
        if not PassiveStream.is_valid_name(name):
            return errno.EAFNOSUPPORT, None
        quiet()
        path = None
        try:
            where = target.parse_passive(name, _OVSDB_PORT)
            if where.is_unix:
                sock = socket.socket(socket.AF_UNIX)
                path = where.path
                _bind_unix(sock, path)
            else:
                family, address = target.resolve(where)
                sock = socket.socket(family)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(address)
            sock.listen(10)
        except OSError as error:
            return error.errno or errno.EPROTO, None
        sock.setblocking(False)
        return 0, PassiveStream(sock, name, path)

    def close(self) -> None:
        """End listening."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
        if self.bind_path is not None:
            _unlink(self.bind_path)
            self.bind_path = None

    def accept(self) -> tuple[int, Stream | None]:
        """Return (error, stream) for the next peer; EAGAIN if there is none."""
        if self.socket is None:
            return errno.ENOTCONN, None
        try:
            sock, address = self.socket.accept()
        except OSError as error:
            return _number(error), None
        sock.setblocking(False)
        if self.name.startswith("punix:"):
            return 0, Stream(sock, "unix", 0)
        return 0, Stream(sock, f"ptcp:{address[0]}:{address[1]}", 0)

    def wait(self, poller: Poller) -> None:
        """Wake up when there is a peer."""
        if self.socket is not None:
            poller.fd_wait(self.socket, _poller.POLLIN)

    def __del__(self) -> None:
        if self.socket is not None:
            self.socket.close()


def _begin(where: target.Target, dscp: int) -> tuple[socket.socket, int]:
    """Begin to connect; return the socket and 0 or EAGAIN. Raises: OSError."""
    if where.is_unix:
        sock = socket.socket(socket.AF_UNIX)
        short = target.UnixPath(where.path)
        address: str | tuple[str, int] = short.text
    else:
        short = None
        family, address = target.resolve(where)
        sock = socket.socket(family)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
    sock.setblocking(False)
    try:
        sock.connect(address)
    except BlockingIOError:
        return sock, errno.EAGAIN
    except OSError:
        sock.close()
        raise
    finally:
        if short is not None:
            short.close()
    return sock, 0


def _completion(sock: socket.socket) -> int:
    """Return 0 if a socket is connected, EAGAIN if not yet, or why it failed."""
    waiter = _poller.SelectPoll()
    waiter.register(sock, _poller.POLLOUT)
    if not waiter.poll(0):
        return errno.EAGAIN
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def _number(error: OSError) -> int:
    """Return an exception's error number; a TLS record that isn't all there: EAGAIN."""
    if type(error).__name__ in {"SSLWantReadError", "SSLWantWriteError"}:
        return errno.EAGAIN
    if type(error).__name__ == "SSLEOFError":
        return errno.ECONNRESET
    return (isinstance(error.errno, int) and error.errno) or errno.EPROTO


def _ssl_context() -> ssl.SSLContext:
    """Return what SSL connections are made with. Raises: OSError."""
    from ovswitch.runtime import ssl_config

    settings = ssl_config.settings
    if Stream._SSL_private_key_file is not None:
        settings.private_key = Stream._SSL_private_key_file
    if Stream._SSL_certificate_file is not None:
        settings.certificate = Stream._SSL_certificate_file
    if Stream._SSL_ca_cert_file is not None:
        settings.set_ca_cert(Stream._SSL_ca_cert_file)
    return settings.context(server=False)


def _wrap(sock: socket.socket) -> ssl.SSLSocket:
    return _ssl_context().wrap_socket(sock, do_handshake_on_connect=False)


def _bind_unix(sock: socket.socket, path: str) -> None:
    short = target.UnixPath(path)
    try:
        _unlink(path)
        sock.bind(short.text)
    finally:
        short.close()


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
