# SPDX-License-Identifier: Apache-2.0
"""Keys, certificates and protocols of the process's SSL connections.

One set of settings serves all connections, as in the reference: they come from the
command line or from the database's SSL table and may change at run time. Files are
read anew when they change on disk. With bootstrapping, the first connection takes the
peer's self-signed CA certificate on trust, saves it and ends; from then on it counts
(ovs-vswitchd(8), "--bootstrap-ca-cert").
"""

from __future__ import annotations

import os
import posix
import ssl
import warnings

from ovswitch.runtime import target, vlog, x509

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.runtime.target import Stream

_log = vlog.Module("stream_ssl")
_limit = vlog.RateLimit(10, 25)

ENOPROTOOPT = 92
_EPROTO = 71
_EIO = 5

_LOAD_KEY = "SSL_use_PrivateKey_file"
_LOAD_CERTIFICATE = "SSL_use_certificate_file"
_LOAD_CA = "failed to load client certificates from {}"

DEFAULT_PROTOCOLS = "TLSv1,TLSv1.1,TLSv1.2"
DEFAULT_CIPHERS = "HIGH:!aNULL:!MD5"
_PROTOCOLS = {
    "tlsv1.2": ssl.OP_NO_TLSv1_2,
    "tlsv1.1": ssl.OP_NO_TLSv1_1,
    "tlsv1": ssl.OP_NO_TLSv1,
}


class Settings:
    """What connections are made with. An empty file name means "not configured"."""

    def __init__(self) -> None:
        self.private_key = ""
        self.certificate = ""
        self.ca_cert = ""
        self.peer_ca_cert = ""
        self.bootstrap = False
        self.verify_peer = True
        self.protocols = DEFAULT_PROTOCOLS
        self.ciphers = DEFAULT_CIPHERS
        # By side, server or client, with what the files were like.
        self._made: dict[bool, tuple[tuple[object, ...], ssl.SSLContext]] = {}
        self._reported: set[str] = set()  # names of files that can't be read

    def set_option(self, key: str, argument: str) -> None:
        """Carry out one of the options of `options.SSL` and its relatives."""
        if key == "private-key":
            self.private_key = argument
            self._is_readable(argument, _LOAD_KEY)
        elif key == "certificate":
            self.certificate = argument
            self._is_readable(argument, _LOAD_CERTIFICATE)
        elif key in {"ca-cert", "bootstrap-ca-cert"}:
            self.set_ca_cert(argument, bootstrap=key == "bootstrap-ca-cert")
        elif key == "peer-ca-cert":
            self.peer_ca_cert = argument
        elif key == "ssl-protocols":
            self.protocols = argument
        else:
            self.ciphers = argument

    def set_key_and_cert(self, private_key: str, certificate: str) -> None:
        """Configure both, as the database's SSL table does."""
        self.private_key = private_key
        self.certificate = certificate

    def set_ca_cert(self, name: str, *, bootstrap: bool = False) -> None:
        """Configure whom to trust: "none" trusts everyone."""
        self.verify_peer = name != "none"
        if name == "none":
            _log.warn("Peer certificate validation disabled (this is a security risk)")
            name = ""
        self.ca_cert = name
        self.bootstrap = bootstrap and bool(name) and not os.path.exists(name)
        if not self.bootstrap:
            self._is_readable(name, _LOAD_CA.format(name))

    def context(self, *, server: bool) -> ssl.SSLContext:
        """Return what connections of one side are made with.

        Once there is something, it stays in use until something better can be read.
        Raises: OSError: ENOPROTOOPT: something is missing or wrong; it was logged.
        """
        stamp = self._stamp()
        known = self._made.get(server)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            if known is None:
                self._check()
            made = self._make(server)
        except OSError:
            if known is None:
                raise
            made = known[1]
        self._made[server] = (stamp, made)
        return made

    def _check(self) -> None:
        complete = True
        if not self._is_readable(self.private_key, _LOAD_KEY):
            _log.err("Private key must be configured to use SSL")
            complete = False
        if not self._is_readable(self.certificate, _LOAD_CERTIFICATE):
            _log.err("Certificate must be configured to use SSL")
            complete = False
        if self.verify_peer and not self.bootstrap and not self.ca_cert:
            _log.err("CA certificate must be configured to use SSL")
            complete = False
        if not complete:
            raise _unavailable()

    def _is_readable(self, name: str, what: str) -> bool:
        """Return whether a file is there; if not, say so the first time."""
        if not name:
            return False
        try:
            with open(name, "rb"):
                return True
        except OSError as error:
            if name not in self._reported:
                self._reported.add(name)
                _log.err("%s: %s", what, x509.error_text(error))
            return False

    def _stamp(self) -> tuple[object, ...]:
        """Return something that changes when the settings or the files do."""
        stamp: list[object] = [
            self.protocols,
            self.ciphers,
            self.verify_peer,
            self.bootstrap,
        ]
        for name in (
            self.private_key,
            self.certificate,
            self.ca_cert,
            self.peer_ca_cert,
        ):
            stamp.append(name)
            try:
                status = os.stat(name)
                stamp += (status.st_mtime_ns, status.st_ino, status.st_size)
            except OSError:
                stamp.append(None)
        return tuple(stamp)

    def _make(self, server: bool) -> ssl.SSLContext:
        side = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
        context = ssl.SSLContext(side)
        context.check_hostname = False
        # A connection that ends without a farewell was cut.
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self._load_key(context)
        self._choose_protocols(context)
        try:
            context.set_ciphers(self.ciphers)
        except ssl.SSLError as error:
            _log.err("SSL_CTX_set_cipher_list: %s", x509.error_text(error))
        context.verify_mode = ssl.CERT_NONE
        if self.verify_peer and (server or not self.bootstrap):
            self._trust(context)
        return context

    def _load_key(self, context: ssl.SSLContext) -> None:
        """Load key and certificate, and the CA certificates to send with it."""
        try:
            if self.peer_ca_cert:
                chain = _concatenate(self.certificate, self.peer_ca_cert)
                try:
                    name = f"/proc/self/fd/{chain}"
                    context.load_cert_chain(name, self.private_key)
                finally:
                    os.close(chain)
            else:
                context.load_cert_chain(self.certificate, self.private_key)
        except OSError as error:
            if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
                text = "error:0A0000BE:SSL routines::no private key assigned"
                _log.err("Private key does not match certificate public key: %s", text)
            else:
                _log.err("SSL_use_certificate_file: %s", x509.error_text(error))
            raise _unavailable() from None

    def _trust(self, context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        if self.bootstrap:
            return  # nobody is trusted yet
        try:
            context.load_verify_locations(self.ca_cert)
        except OSError as error:
            if self.ca_cert not in self._reported:
                what = _LOAD_CA.format(self.ca_cert)
                _log.err("%s: %s", what, x509.error_text(error))
            if self._made:
                raise _unavailable() from None  # who is trusted remains so

    def _choose_protocols(self, context: ssl.SSLContext) -> None:
        """Switch off what isn't wanted of TLS 1.0 to 1.3.

        TLS 1.3 can't be named: any setting but the default switches it off.
        """
        unwanted = dict(_PROTOCOLS)
        words = self.protocols.replace(",", " ").split()
        for word in words:
            if word.lower() not in _PROTOCOLS:
                _log.err("%s: SSL protocol not recognized", word)
                return
            unwanted.pop(word.lower(), None)
        if not words:
            _log.err("SSL protocol settings invalid")
            return
        if self.protocols != DEFAULT_PROTOCOLS:
            context.options |= ssl.OP_NO_TLSv1_3
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the user's choice
            context.minimum_version = ssl.TLSVersion.TLSv1
            for flag in unwanted.values():
                context.options |= flag

    # After the handshake.

    def accept_peer(self, peer: ssl.SSLSocket | ssl.SSLObject, *, client: bool) -> str:
        """Decide on a peer after the handshake; return its common name.

        Raises: OSError: EPROTO: the connection must end (bootstrapping did its work).
        """
        if client and self.bootstrap:
            self._bootstrap(peer)
            raise OSError(_EPROTO, posix.strerror(_EPROTO))
        return x509.common_name(peer)

    def _bootstrap(self, peer: ssl.SSLSocket | ssl.SSLObject) -> None:
        chain = x509.peer_chain(peer)
        if not chain:
            _log.err("could not bootstrap CA cert: no certificate presented by peer")
            return
        issuer = chain[-1]
        if not x509.is_self_signed(issuer):
            _log.err(
                "could not bootstrap CA cert: obtained certificate is not "
                "self-signed (subject issuer mismatch)"
            )
            if len(chain) < 2:
                _log.err(
                    "only one certificate was received, so probably the peer is not "
                    "configured to send its CA certificate"
                )
            return
        self._save_ca_cert(issuer)

    def _save_ca_cert(self, der: bytes) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        try:
            fd = os.open(self.ca_cert, flags, 0o444)
        except FileExistsError:
            _log.info_rl(
                _limit, "reading CA cert %s created by another process", self.ca_cert
            )
            self.bootstrap = False
            return
        except OSError as error:
            _log.err(
                "could not bootstrap CA cert: creating %s failed: %s",
                self.ca_cert,
                posix.strerror(error.errno or 0),
            )
            return
        with open(fd, "w") as file:
            file.write(ssl.DER_cert_to_PEM_cert(der))
        _log.info("successfully bootstrapped CA cert to %s", self.ca_cert)
        trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusted.load_verify_locations(self.ca_cert)
        described = x509.describe(dict(trusted.get_ca_certs()[0]), der)
        _log.info("Trusting CA cert from %s %s", self.ca_cert, described)
        self.bootstrap = False
        _log.info("killing successful connection to retry using CA cert")

    def start_client(self, stream: Stream, host: str) -> None:
        """Encrypt a blocking stream.

        Raises: OSError.
        """
        context = self.context(server=False)
        try:
            stream.wrap(context, host)
        except ssl.SSLError as error:
            _log.warn_rl(_limit, "SSL_connect: %s", describe(error))
            raise OSError(_EPROTO, posix.strerror(_EPROTO)) from None
        peer = stream.ssl_peer()
        if peer is not None:
            self.accept_peer(peer, client=True)


settings = Settings()


def _unavailable() -> OSError:
    return OSError(ENOPROTOOPT, posix.strerror(ENOPROTOOPT))


def _concatenate(*names: str) -> int:
    """Return a descriptor of a file in memory with the contents of all.

    Raises: OSError.
    """
    fd = os.memfd_create("certificates")
    try:
        for name in names:
            with open(name, "rb") as file:
                os.write(fd, file.read() + b"\n")
    except OSError:
        os.close(fd)
        raise
    return fd


def is_pending(error: OSError) -> bool:
    """Return whether a stream that doesn't block only has nothing to read yet."""
    return isinstance(error, ssl.SSLWantReadError | ssl.SSLWantWriteError)


def say_farewell(encrypted: ssl.SSLSocket) -> None:
    """Tell the peer that nothing more will come, without waiting for its answer."""
    try:
        encrypted.settimeout(0)
        encrypted.unwrap()
    except (OSError, ValueError):
        pass  # ValueError: it was closed


def describe(error: OSError) -> str:
    """Return what log lines say of an error of an encrypted stream."""
    if isinstance(error, ssl.SSLError):
        return x509.error_text(error)
    return f"system error ({error.strerror})"


def read_error(error: OSError) -> OSError:
    """Log an encrypted stream's error of reading; return the one for its owner."""
    _log.warn_rl(_limit, "SSL_read: %s", describe(error))
    if isinstance(error, ssl.SSLError):
        return OSError(_EIO, posix.strerror(_EIO))
    return error


def server_name(host: str) -> str | None:
    """Return what to tell an SSL server of its name: nothing for a numeric one."""
    return host if host and target.literal_address(host, 0) is None else None
