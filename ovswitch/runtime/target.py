# SPDX-License-Identifier: Apache-2.0
"""Connection methods: "tcp:HOST:PORT", "punix:FILE" and so on, and blocking streams.

ovsdb(7), "Active Connection Methods" and "Passive Connection Methods", gives the
syntax. Relative unix paths are in the run directory. IPv6 addresses stand in square
brackets where a port follows, and may have a "%SCOPE".

`connect()` makes the synchronous streams of the tools. The event loop's are in `aio`;
both share the parsing here. `_socket` is used directly: `socket` costs 10 ms.
"""

from __future__ import annotations

import _socket
import posix

from ovswitch.runtime import clock, dirs, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ovswitch.runtime.replay import Writer

OVSDB_PORT = 6640
OPENFLOW_PORT = 6653

ACTIVE = ("tcp", "unix", "ssl")
PASSIVE = ("ptcp", "punix", "pssl")

_OLD_PORTS = {OVSDB_PORT: 6632, OPENFLOW_PORT: 6633}

EAFNOSUPPORT = 97
ECONNREFUSED = 111
_ETIMEDOUT = 110
_EPROTO = 71
_EAGAIN = 11
_MAX_UNIX_PATH = 107

_log = vlog.Module("socket_util")
_unix_log = vlog.Module("socket_util_unix")

_warns_of_ports = True  # once is enough
_opener: Callable[[str, Callable[[], Stream]], Stream] | None = None


class Target:
    """A parsed connection method.

    `path` is set for unix sockets; `host` and `port` for the others, where a passive
    method's host is "" for all addresses.
    """

    __slots__ = ("host", "kind", "name", "path", "port")

    def __init__(
        self, name: str, kind: str, path: str = "", host: str = "", port: int = 0
    ) -> None:
        self.name = name
        self.kind = kind
        self.path = path
        self.host = host
        self.port = port

    @property
    def is_unix(self) -> bool:
        """Whether this is a unix socket."""
        return self.kind in {"unix", "punix"}

    @property
    def full_name(self) -> str:
        """The method with its port, if it has one."""
        return with_default_port(self.name, self.port)

    @property
    def is_ssl(self) -> bool:
        """Whether the connection is encrypted."""
        return self.kind in {"ssl", "pssl"}

    def __repr__(self) -> str:
        return f"<Target {self.name}>"


def is_active(name: str) -> bool:
    """Return whether `name` looks like an active method: "tcp:", "unix:", "ssl:"."""
    return ":" in name and name.partition(":")[0] in ACTIVE


def is_passive(name: str) -> bool:
    """Return whether `name` looks like a passive method."""
    return ":" in name and name.partition(":")[0] in PASSIVE


def needs_probes(name: str) -> bool:
    """Return whether only probes can tell that such a peer is gone."""
    return name.partition(":")[0] in {"tcp", "ssl", "ptcp", "pssl"}


def unsupported() -> OSError:
    """Return the error for a method that doesn't exist or can't be parsed."""
    return OSError(EAFNOSUPPORT, posix.strerror(EAFNOSUPPORT))


def parse_active(name: str, default_port: int = -1) -> Target:
    """Parse an active method; the port may be left out if there is a default.

    Raises: OSError: EAFNOSUPPORT; what is wrong with an address is logged.
    """
    if not is_active(name):
        raise unsupported()
    kind, _, rest = name.partition(":")
    if kind == "unix":
        return Target(name, kind, dirs.abs_file_name(dirs.rundir(), rest))
    host, port = _split(rest, host_first=True)
    if port is None and default_port < 0:
        _log.err("%s: port must be specified", rest)
        raise unsupported()
    return Target(name, kind, "", host or "", _port(port, default_port, rest))


def parse_passive(name: str, default_port: int = -1) -> Target:
    """Parse a passive method; port 0 lets the kernel choose one.

    Raises: OSError: EAFNOSUPPORT; what is wrong with an address is logged.
    """
    if not is_passive(name):
        raise unsupported()
    kind, _, rest = name.partition(":")
    if kind == "punix":
        return Target(name, kind, dirs.abs_file_name(dirs.rundir(), rest))
    host, port = _split(rest, host_first=False)
    if port is None and default_port < 0:
        _log.err("%s: port must be specified", rest)
        raise unsupported()
    return Target(name, kind, "", host or "", _port(port, default_port, rest))


def _split(text: str, *, host_first: bool) -> tuple[str | None, str | None]:
    """Split "HOST:PORT" or "PORT:HOST"; more colons outside brackets mean a host."""
    colon, n_colons, in_brackets = -1, 0, False
    for index, letter in enumerate(text):
        if letter == "[":
            in_brackets = True
        elif letter == "]":
            in_brackets = False
        elif letter == ":" and not in_brackets:
            n_colons += 1
            colon = index
    if n_colons > 1:
        return text, None
    first, second = (text[:colon], text[colon + 1 :]) if n_colons else (text, None)
    first = _unbracket(first)
    second = None if second is None else _unbracket(second)
    return (first, second) if host_first else (second, first)


def _unbracket(text: str) -> str:
    if text.startswith("["):
        text = text[1:]
        return text[:-1] if text.endswith("]") else text
    return text


def _port(text: str | None, default: int, target: str) -> int:
    if not text:
        return max(default, 0)
    digits = text.removeprefix("+").strip()
    if not (digits.isascii() and digits.isdigit() and int(digits) <= 0xFFFF):
        _log.err('%s: bad port number "%s"', target, text)
        raise unsupported()
    return int(digits)


def usage(name: str, *, active: bool, passive: bool, bootstrap: bool = False) -> str:
    """Return the part of a program's `--help` on connection methods and SSL."""
    lines = ["\n"]
    if active:
        lines.append(
            f"Active {name} connection methods:\n"
            "  tcp:HOST:PORT           PORT at remote HOST\n"
            "  ssl:HOST:PORT           SSL PORT at remote HOST\n"
            "  unix:FILE               Unix domain socket named FILE\n"
        )
    if passive:
        lines.append(
            f"Passive {name} connection methods:\n"
            "  ptcp:PORT[:IP]          listen to TCP PORT on IP\n"
            "  pssl:PORT[:IP]          listen for SSL on PORT on IP\n"
            "  punix:FILE              listen on Unix domain socket FILE\n"
        )
    lines.append(
        "PKI configuration (required to use SSL):\n"
        "  -p, --private-key=FILE  file with private key\n"
        "  -c, --certificate=FILE  file with certificate for private key\n"
        "  -C, --ca-cert=FILE      file with peer CA certificate\n"
    )
    if bootstrap:
        lines.append(
            "  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or "
            "create\n"
        )
    lines.append(
        "SSL options:\n"
        "  --ssl-protocols=PROTOS  list of SSL protocols to enable\n"
        "  --ssl-ciphers=CIPHERS   list of SSL ciphers to enable\n"
    )
    return "".join(lines)


def with_default_port(name: str, port: int) -> str:
    """Return an active or passive method with its port filled in, if it lacks one."""
    kind, _, _ = name.partition(":")
    n_fields = sum(1 for field in name.split(":") if field)
    if kind in {"tcp", "ssl"} and n_fields < 3:
        return f"{name}:{port}"
    if kind in {"ptcp", "pssl"} and n_fields < 2:
        return f"{name}{port}"
    return name


def literal_address(host: str, port: int) -> tuple[int, tuple[str, int]] | None:
    """Return the family and socket address of a numeric host, None for a name."""
    family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
    try:
        _socket.inet_pton(family, host.partition("%")[0])
    except OSError:
        return None
    return family, (host, port)


def resolve(target: Target) -> tuple[int, tuple[str, int]]:
    """Return the family and socket address to connect or bind to. May ask DNS.

    Raises: OSError.
    """
    if not target.host:
        if target.kind in ACTIVE:
            raise unsupported()
        return _socket.AF_INET, ("0.0.0.0", target.port)
    literal = literal_address(target.host, target.port)
    if literal is not None:
        return literal
    try:
        found = _socket.getaddrinfo(target.host, target.port, 0, _socket.SOCK_STREAM)
    except OSError:
        raise unsupported() from None
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


class UnixPath:
    """A unix socket's path, shortened through /proc if the kernel couldn't take it."""

    def __init__(self, path: str) -> None:
        self.text = path
        self._folder = -1
        if len(path.encode("utf-8", "surrogateescape")) > _MAX_UNIX_PATH:
            folder, _, name = path.rpartition("/")
            flags = posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC
            self._folder = posix.open(folder or ".", flags)
            self.text = f"/proc/self/fd/{self._folder}/{name}"

    def close(self) -> None:
        """Release the folder."""
        if self._folder >= 0:
            posix.close(self._folder)
            self._folder = -1


class Stream:
    """A blocking connection."""

    def __init__(self, name: str, raw: _socket.socket) -> None:
        self.name = name
        self._raw: _socket.socket | ssl.SSLSocket = raw
        self._encrypted: ssl.SSLSocket | None = None
        self.recorder: Writer | None = None

    def wrap(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt the connection.

        Raises: OSError.
        """
        import atexit
        import socket

        plain = socket.socket(fileno=self._raw.detach())
        is_name = literal_address(host, 0) is None
        self._encrypted = context.wrap_socket(
            plain, server_hostname=host if is_name else None
        )
        self._raw = self._encrypted
        atexit.register(self.close)

    def ssl_peer(self) -> ssl.SSLSocket | None:
        """Return the encrypted socket, None if the stream isn't encrypted."""
        return self._encrypted

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._raw.fileno()

    def send(self, octets: bytes) -> None:
        """Send all of `octets`.

        Raises: OSError.
        """
        self._raw.settimeout(None)
        if self.recorder is not None:
            self.recorder.wrote(len(octets))
        try:
            self._raw.sendall(octets)
        except OSError:
            if self._encrypted is None:
                raise
            # The peer's alert, which is read next, says why.

    def recv(self, timeout_ms: int = -1, size: int = 65536) -> bytes | None:
        """Return what arrives next: b"" at the end, None when `timeout_ms` passed.

        Raises: OSError.
        """
        octets = self._recv(timeout_ms, size)
        if self.recorder is not None and octets is not None:
            self.recorder.read(octets)
        return octets

    def _recv(self, timeout_ms: int, size: int) -> bytes | None:
        self._raw.settimeout(None if timeout_ms < 0 else timeout_ms / 1000)
        try:
            return self._raw.recv(size)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            if self._encrypted is None:
                raise
            from ovswitch.runtime import ssl_config

            if ssl_config.is_pending(error):
                return None
            raise ssl_config.read_error(error) from None

    def close(self) -> None:
        """Close the connection."""
        if self._encrypted is not None:
            from ovswitch.runtime import ssl_config

            ssl_config.say_farewell(self._encrypted)
        self._raw.close()


def set_opener(opener: Callable[[str, Callable[[], Stream]], Stream]) -> None:
    """Have `connect()` done by `opener(name, connect)`, for recording and replay."""
    global _opener
    _opener = opener


def parse_to_connect(name: str, default_port: int = -1) -> Target:
    """Parse an active method as somebody who is about to connect.

    Raises: OSError: it was logged.
    """
    global _warns_of_ports
    full_name = with_default_port(name, default_port)
    old_port = _OLD_PORTS.get(default_port)
    if full_name != name and old_port is not None and _warns_of_ports:
        _warns_of_ports = False
        what = "OVSDB" if default_port == OVSDB_PORT else "OpenFlow"
        text = "The default %s port number has changed from %d to %d"
        vlog.Module("stream").warn(text, what, old_port, default_port)
    try:
        return parse_active(name, default_port)
    except OSError as error:
        log_unreachable(full_name, error)
        raise


def log_unreachable(name: str, error: OSError) -> None:
    """Log that there is no way to begin connecting to `name`."""
    kind = name.partition(":")[0]
    if kind in {"tcp", "ssl"}:
        log = vlog.Module(f"stream_{kind}")
        log.err("%s: connect: %s", name, posix.strerror(error.errno or 0))


def connect(
    name: str | Target, timeout_ms: int = -1, default_port: int = OVSDB_PORT
) -> Stream:
    """Connect to an active method and wait until that is done.

    Raises: OSError: ETIMEDOUT when `timeout_ms` (if not negative) passed.
    """
    if _opener is not None:
        shown = name if isinstance(name, str) else name.name
        return _opener(shown, lambda: _connect(name, timeout_ms, default_port))
    return _connect(name, timeout_ms, default_port)


def _connect(name: str | Target, timeout_ms: int, default_port: int) -> Stream:
    where = parse_to_connect(name, default_port) if isinstance(name, str) else name
    family, address = _connect_address(where)
    if where.is_ssl:
        _check_ssl()
    raw = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    raw.settimeout(None if timeout_ms < 0 else max(timeout_ms, 1) / 1000)
    started = clock.real_now()
    stream = Stream(where.name, raw)
    try:
        if where.is_unix:
            _connect_unix(raw, where.path)
        else:
            raw.connect(address)
            raw.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        if where.is_ssl:
            _start_ssl(stream, where, timeout_ms, started)
    except TimeoutError:
        stream.close()
        raise OSError(_ETIMEDOUT, posix.strerror(_ETIMEDOUT)) from None
    except OSError:
        stream.close()
        raise
    return stream


def _connect_address(where: Target) -> tuple[int, tuple[str, int]]:
    if where.is_unix:
        return _socket.AF_UNIX, ("", 0)
    try:
        return resolve(where)
    except OSError as error:
        log_unreachable(where.full_name, error)
        raise


def _connect_unix(raw: _socket.socket, path: str) -> None:
    short = UnixPath(path)
    try:
        raw.connect(short.text)
    finally:
        short.close()


def _check_ssl() -> None:
    """Check that there are keys before anything is connected. Raises: OSError."""
    from ovswitch.runtime import ssl_config

    ssl_config.settings.context(server=False)


def _start_ssl(stream: Stream, where: Target, timeout_ms: int, started: int) -> None:
    from ovswitch.runtime import ssl_config

    if timeout_ms >= 0 and clock.real_now() - started > timeout_ms:
        raise TimeoutError
    ssl_config.settings.start_client(stream, where.host)
