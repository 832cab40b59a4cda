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

from ovswitch.runtime import target, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.runtime.target import Stream

_log = vlog.Module("stream_ssl")
_limit = vlog.RateLimit(10, 25)

ENOPROTOOPT = 92
_EPROTO = 71

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
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._made_from: tuple[object, ...] = ()

    def set_option(self, key: str, argument: str) -> None:
        """Carry out one of the options of `options.SSL` and its relatives."""
        if key in {"private-key", "certificate"}:
            setattr(self, key.replace("-", "_"), argument)
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

    def context(self, *, server: bool) -> ssl.SSLContext:
        """Return what connections of one side are made with.

        Raises: OSError: ENOPROTOOPT: something is missing or wrong; it was logged.
        """
        self._check()
        stamp = self._stamp()
        if stamp != self._made_from:
            self._contexts.clear()
            self._made_from = stamp
        made = self._contexts.get(server)
        if made is None:
            made = self._contexts[server] = self._make(server)
        return made

    def _check(self) -> None:
        complete = True
        if not _is_readable(self.private_key):
            _log.err("Private key must be configured to use SSL")
            complete = False
        if not _is_readable(self.certificate):
            _log.err("Certificate must be configured to use SSL")
            complete = False
        if self.verify_peer and not self.bootstrap and not self.ca_cert:
            _log.err("CA certificate must be configured to use SSL")
            complete = False
        if not complete:
            raise OSError(ENOPROTOOPT, posix.strerror(ENOPROTOOPT))

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
        try:
            context.load_cert_chain(self.certificate, self.private_key)
        except (OSError, ssl.SSLError) as error:
            _log.err("Private key does not match certificate public key: %s", error)
            raise OSError(ENOPROTOOPT, posix.strerror(ENOPROTOOPT)) from None
        self._choose_protocols(context)
        try:
            context.set_ciphers(self.ciphers)
        except ssl.SSLError as error:
            _log.err("SSL_CTX_set_cipher_list: %s", error)
        context.verify_mode = ssl.CERT_NONE
        if self.verify_peer and (server or not self.bootstrap):
            self._trust(context)
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        if self.bootstrap:
            return  # nobody is trusted yet
        try:
            context.load_verify_locations(self.ca_cert)
        except (OSError, ssl.SSLError) as error:
            _log.err("failed to load CA certificates from %s: %s", self.ca_cert, error)
            raise OSError(ENOPROTOOPT, posix.strerror(ENOPROTOOPT)) from None

    def _choose_protocols(self, context: ssl.SSLContext) -> None:
        """Switch off what isn't wanted of TLS 1.0 to 1.2; 1.3 is always on."""
        unwanted = dict(_PROTOCOLS)
        for word in self.protocols.replace(",", " ").split():
            if word.lower() not in _PROTOCOLS:
                _log.err("%s: SSL protocol not recognized", word)
                return
            unwanted.pop(word.lower(), None)
        if len(unwanted) == len(_PROTOCOLS):
            _log.err("SSL protocol settings invalid")
            return
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
        return common_name(peer)

    def _bootstrap(self, peer: ssl.SSLSocket | ssl.SSLObject) -> None:
        chain = _peer_chain(peer)
        if not chain:
            _log.err("could not bootstrap CA cert: no certificate presented by peer")
            return
        issuer = chain[-1]
        if not _is_self_signed(issuer):
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
        self._save_ca_cert(ssl.DER_cert_to_PEM_cert(issuer))

    def _save_ca_cert(self, pem: str) -> None:
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
            file.write(pem)
        _log.info("successfully bootstrapped CA cert to %s", self.ca_cert)
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
            _log.warn_rl(_limit, "SSL_connect: %s", error)
            raise OSError(_EPROTO, posix.strerror(_EPROTO)) from None
        peer = stream.ssl_peer()
        if peer is not None:
            self.accept_peer(peer, client=True)


settings = Settings()


def _is_readable(name: str) -> bool:
    return bool(name) and os.access(name, os.R_OK)


def server_name(host: str) -> str | None:
    """Return what to tell an SSL server of its name: nothing for a numeric one."""
    return host if host and target.literal_address(host, 0) is None else None


def common_name(peer: ssl.SSLSocket | ssl.SSLObject) -> str:
    """Return the common name in a verified peer's certificate, "" without one."""
    certificate: dict[str, Any] = peer.getpeercert() or {}
    for part in certificate.get("subject", ()):
        for name, text in part:
            if name == "commonName":
                return str(text)
    return ""


def _peer_chain(peer: ssl.SSLSocket | ssl.SSLObject) -> list[bytes]:
    """Return the certificates that the peer sent, in DER, its own first."""
    raw = getattr(peer, "_sslobj", None)
    unverified = getattr(raw, "get_unverified_chain", None)
    if unverified is not None:
        return [_to_der(entry) for entry in unverified() or ()]
    own = peer.getpeercert(binary_form=True)
    return [own] if own else []


def _to_der(entry: object) -> bytes:
    if isinstance(entry, bytes):
        return entry
    import _ssl

    der = entry.public_bytes(_ssl.ENCODING_DER)  # type: ignore[attr-defined]  # a _ssl.Certificate, which has no stub
    assert isinstance(der, bytes)
    return der


def _is_self_signed(der: bytes) -> bool:
    """Return whether subject and issuer of a certificate are the same.

    They are the fifth and third field of what is signed (RFC 5280 §4.1), not
    counting the version, which is tagged [0] and optional.
    """
    fields = _der_children(_der_children(der)[0])
    if fields and fields[0][:1] == b"\xa0":
        fields = fields[1:]
    return len(fields) > 4 and fields[2] == fields[4]


def _der_children(octets: bytes) -> list[bytes]:
    """Split a DER sequence's content into its elements, headers included."""
    start, end = _der_content(octets, 0)
    children = []
    while start < end:
        _, after = _der_content(octets, start)
        children.append(octets[start:after])
        start = after
    return children


def _der_content(octets: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the element at `at` starts and ends."""
    length = octets[at + 1]
    at += 2
    if length & 0x80:
        n_octets = length & 0x7F
        length = int.from_bytes(octets[at : at + n_octets], "big")
        at += n_octets
    return at, at + length
