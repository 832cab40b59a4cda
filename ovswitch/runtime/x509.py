# SPDX-License-Identifier: Apache-2.0
"""What certificates and SSL errors say, in the words of the reference's log lines."""

from __future__ import annotations

import _ssl
import hashlib
import posix
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHORT_NAMES = {
    "commonName": "CN",
    "countryName": "C",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
}


def error_text(error: OSError) -> str:
    """Return an error of OpenSSL's or of the operating system as OpenSSL 3 words it.

    The code is that of the error's library and reason; the reason's name is its text
    but for case and underscores.
    """
    if not isinstance(error, ssl.SSLError):
        number = error.errno or 0
        return f"error:8{number:07X}:system library::{posix.strerror(number)}"
    codes: dict[str, tuple[int, int]] = _ssl.err_names_to_codes
    reason = getattr(error, "reason", "") or ""
    if str(error).find("No cipher can be selected") >= 0:
        reason = "NO_CIPHER_MATCH"  # Python's own words
    if reason not in codes:
        return str(error)
    library, number = codes[reason]
    name = getattr(error, "library", None) or "SSL"
    text = reason.lower().replace("_", " ")
    return f"error:{library << 23 | number:08X}:{name} routines::{text}"


def describe(certificate: dict[str, Any], der: bytes) -> str:
    """Return the subject, in one line, and the fingerprint of a certificate."""
    subject = "".join(
        f"/{_SHORT_NAMES.get(name, name)}={text}"
        for part in certificate.get("subject", ())
        for name, text in part
    )
    digest = hashlib.sha1(der).digest()
    return f"({subject}) (fingerprint {digest.hex(':')})"


def common_name(peer: ssl.SSLSocket | ssl.SSLObject) -> str:
    """Return the common name in a verified peer's certificate, "" without one."""
    certificate: dict[str, Any] = peer.getpeercert() or {}
    for part in certificate.get("subject", ()):
        for name, text in part:
            if name == "commonName":
                return str(text)
    return ""


def peer_chain(peer: ssl.SSLSocket | ssl.SSLObject) -> list[bytes]:
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
    der = entry.public_bytes(_ssl.ENCODING_DER)  # type: ignore[attr-defined]  # a _ssl.Certificate, which has no stub
    assert isinstance(der, bytes)
    return der


def is_self_signed(der: bytes) -> bool:
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
