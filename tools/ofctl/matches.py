# SPDX-License-Identifier: Apache-2.0
"""Commands that try how matches are read and written: parse-nxm, check-vlan ..."""

from __future__ import annotations

import posix
import sys

from ovswitch.flow.fields import BY_OXM_NAME
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import Match
from ovswitch.flow.normalize import normalize
from ovswitch.flow.text import format_match
from ovswitch.openflow import fixed_match, oxm
from ovswitch.openflow import version as versions
from ovswitch.openflow.actions.fieldcodec import is_variable
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.oxm import entry
from ovswitch.openflow.parse.files import preprocessed_lines
from ovswitch.openflow.parse.flow import parse_flow, tell_normalized
from ovswitch.openflow.parse.tokens import hex_octets, scan_int
from ovswitch.openflow.text.wire_match import format_nxm
from ovswitch.openflow.wire import Cursor
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl.parsing import hex_lines, print_differences, whole_hex
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.flow.fields import Field

_COOKIES = {"NXM_NX_COOKIE": 0x00013C08, "NXM_NX_COOKIE_W": 0x00013D10}
_SEPARATORS = ", "
_EXPERIMENTER = 0xFFFF
_MATCH10_SIZE, _MATCH11_SIZE = 40, 88
_TCI = SLOTS["vlan_tci0"]
_VID, _CFI = 0xFFF, 0x1000
_HEADER11 = b"\0\0\0\x58"  # what it says doesn't count here
_GARBAGE = "Trailing garbage in hex data"


def _write(text: str) -> None:
    sys.stdout.write(text)


def _die(message: str) -> None:
    sys.stdout.flush()
    fatal.die(message)


# Matches as text of their entries: "NXM_OF_ETH_TYPE(0800), NXM_OF_IP_TOS(f0)".


class _Header:
    """The header of an entry in the making.

    Attributes:
        octets: as it stands on the wire.
        size: of the value.
        masked: whether a mask follows.
        field: None if unknown.
    """

    __slots__ = ("field", "masked", "octets", "size")

    def __init__(self, octets: bytes, field: Field | None = None) -> None:
        self.octets = octets
        self.field = field
        first = int.from_bytes(octets[:4], "big")
        self.masked = bool(first >> 8 & 1)
        length = first & 0xFF
        if first >> 16 == _EXPERIMENTER:
            length -= 4
        self.size = length // 2 if self.masked else length

    def resize(self, size: int) -> None:
        """Set the size, for fields that have any."""
        length = 2 * size if self.masked else size
        if len(self.octets) > 4:
            length += 4
        self.octets = self.octets[:3] + bytes((length & 0xFF,)) + self.octets[4:]


def _find_header(name: str) -> _Header | None:
    """Return the header that a name or hexadecimal digits stand for."""
    masked = name.endswith("_W")
    known = BY_OXM_NAME.get(name) or (
        BY_OXM_NAME.get(name.removesuffix("_W")) if masked else None
    )
    if known is not None:
        field, form = known
        masked = masked and name not in BY_OXM_NAME
        if not masked or field.maskable:
            return _Header(entry.header(form, field.n_bytes, masked), field)
    if name in _COOKIES:
        return _Header(_COOKIES[name].to_bytes(4, "big"))
    if len(name) in (8, 16):
        try:
            number = int(name, 16)
        except ValueError:
            return None
        if len(name) == 8:
            return _Header(number.to_bytes(4, "big"))
        if number >> 48 == _EXPERIMENTER:
            return _Header(number.to_bytes(8, "big"))
    return None


def _skip(text: str, at: int, letters: str) -> int:
    while at < len(text) and text[at] in letters:
        at += 1
    return at


def _check_size(header: _Header, size: int) -> None:
    if size == header.size:
        return
    field = header.field
    if field is None or not is_variable(field):
        _die(f"expected to read {header.size} bytes but got {size}")
    elif size > field.n_bytes:
        _die(f"expected to read at most {field.n_bytes} bytes but got {size}")
    else:
        header.resize(size)


def entries_from_text(text: str) -> bytes:
    """Return the octets of a match's entries; die if the text is wrong."""
    octets = b""
    if text == "<any>":
        return octets
    at = _skip(text, 0, _SEPARATORS)
    while at < len(text):
        name, parenthesis, _ = text[at:].partition("(")
        if not parenthesis:
            _die(f"{text}: missing ( at end of nx_match")
        header = _find_header(name)
        if header is None:
            fatal.die(f"{text}: unknown field `{name}'")
        value, rest = hex_octets(text[at + len(name) + 1 :])
        _check_size(header, len(value))
        octets += header.octets + value
        if header.masked:
            rest = rest.lstrip(" ")
            if not rest.startswith("/"):
                _die(f"{text}: missing / in masked field {name}")
            mask, rest = hex_octets(rest[1:])
            if len(mask) != len(value):
                _die(f"{rest[:2]}: hex digits expected")
            octets += mask
        rest = rest.lstrip(" ")
        if not rest.startswith(")"):
            _die(f"{text}: missing ) following field {name}")
        at = _skip(text, len(text) - len(rest) + 1, _SEPARATORS)
    return octets


def _test_lines() -> Iterator[str]:
    """Yield the lines of standard input; print comments and empty lines."""
    for line in sys.stdin:
        line = line.removesuffix("\n")
        if line.startswith("#"):
            _write(f"{line}\n")
            continue
        line = line.partition("#")[0]
        if line.strip(" \t\n"):
            yield line
        else:
            _write("\n")


def _print_entries(octets: bytes, padded: bytes) -> None:
    _write(format_nxm(octets) + "\n")
    if settings.verbosity > 0:
        _write(hex_lines(padded))


def _print_failure(error: OpenFlowError) -> None:
    _write(f"nx_pull_match() returned error {error.name}\n")


def parse_nxm(_words: list[str]) -> None:
    """parse-nxm < MATCHES."""
    for line in _test_lines():
        octets = entries_from_text(line)
        cursor = Cursor(octets + bytes(-len(octets) % 8))
        try:
            found = oxm.take_nxm(
                cursor, len(octets), strict=settings.strict, allow_cookie=True
            )
        except OpenFlowError as error:
            _print_failure(error)
            continue
        padded, size = oxm.put_nxm(found.match, found.cookie, found.cookie_mask)
        _print_entries(padded[:size], padded)


def parse_oxm(words: list[str]) -> None:
    """parse-oxm VERSION < MATCHES."""
    version = versions.from_name(words[1]) or 0
    if version < versions.OF12:
        fatal.die(f"{words[1]}: not a valid version for OXM")
    for line in _test_lines():
        octets = entries_from_text(line)
        size = len(octets) + 4
        head = b"\0\1" + (size & 0xFFFF).to_bytes(2, "big")
        cursor = Cursor(head + octets + bytes(-size % 8))
        try:
            match = oxm.take_oxm(cursor, strict=settings.strict)
        except OpenFlowError as error:
            _print_failure(error)
            continue
        padded = oxm.put_oxm(match, version)
        size = int.from_bytes(padded[2:4], "big")
        _print_entries(padded[4:size], padded)


# Matches of fixed size.


def _check_input(octets: bytes, size: int) -> None:
    if len(octets) != size:
        _die(f"Input is {len(octets)} bytes, expected {size}")


def parse_ofp10_match(_words: list[str]) -> None:
    """parse-ofp10-match < HEX, in which "x" is any digit."""
    for _, line in preprocessed_lines(sys.stdin):
        expected = whole_hex(line.replace("x", "0"), _GARBAGE)
        _check_input(expected, _MATCH10_SIZE)
        digits = (f"{posix.urandom(1)[0] & 0xF:x}" if c == "x" else c for c in line)
        match = fixed_match.decode10(whole_hex("".join(digits), _GARBAGE))
        _write(format_match(match) + "\n")
        again = fixed_match.encode10(match)
        print_differences(expected, again)
        normal = normalize(match)
        if normal != match:
            sys.stdout.flush()
            tell_normalized(match, normal)
        print_differences(again, fixed_match.encode10(normal), "normal: ")
        _write("\n")


def parse_ofp11_match(_words: list[str]) -> None:
    """parse-ofp11-match < HEX."""
    for _, line in preprocessed_lines(sys.stdin):
        octets = whole_hex(line, _GARBAGE)
        _check_input(octets, _MATCH11_SIZE)
        try:
            match = fixed_match.take11(Cursor(_HEADER11 + octets[4:]))
        except OpenFlowError as error:
            _write(f"bad ofp11_match: {error.name}\n\n")
            continue
        _write(format_match(match) + "\n")
        print_differences(octets, fixed_match.encode11(match))
        _write("\n")


# VLANs.


def _tci(match: Match) -> str:
    return f"{_TCI.get(match.value):04x}/{_TCI.get(match.mask):04x}"


def _hex_argument(text: str) -> int:
    found = scan_int(text, 0, 16)
    return found[0] & 0xFFFF if found else 0


def _check_text(match: Match) -> None:
    text = format_match(match)
    _write(f"{text} -> ")
    sys.stdout.flush()
    try:
        flow, _ = parse_flow(text, -1)
    except ValueError as error:
        fatal.die(str(error))
    _write(f"{_tci(flow.match)}\n")


def _check_nxm(match: Match) -> None:
    padded, size = oxm.put_nxm(match)
    _write(f"NXM: {format_nxm(padded[:size])} -> ")
    try:
        found = oxm.take_nxm(Cursor(padded), size).match
    except OpenFlowError as error:
        _write(f"{error.name}\n")
        return
    _write(f"{_tci(found)}\n")


def _check_oxm(match: Match) -> None:
    padded = oxm.put_oxm(match, versions.OF12)
    size = int.from_bytes(padded[2:4], "big")
    _write(f"OXM: {format_nxm(padded[4:size])} -> ")
    try:
        found = oxm.take_oxm(Cursor(padded))
    except OpenFlowError as error:
        _write(f"{error.name}\n")
        return
    value, mask = _TCI.get(found.value), _TCI.get(found.mask)
    vid = value & (_VID | _CFI)
    pcp = f"{value >> 13:02d}" if vid and mask >> 13 else "--"
    _write(f"{vid:04x}/{mask & (_VID | _CFI):04x},{pcp}\n")


def _check_fixed(
    name: str, octets: bytes, wildcards: int, at: tuple[int, int, int], found: Match
) -> None:
    """Print the VLAN in a match of fixed size and what it was read as.

    Args:
        name: which version's.
        octets: the match.
        wildcards: its wildcards.
        at: where the VLAN and the priority stand, and the priority's wildcard bit.
        found: the match as read again.
    """
    vlan = int.from_bytes(octets[at[0] : at[0] + 2], "big")
    any_vlan, any_pcp = wildcards >> 1 & 1, wildcards >> at[2] & 1
    _write(
        f"{name}: {vlan:04x}/{any_vlan},{octets[at[1]]:02x}/{any_pcp} -> "
        f"{_tci(found)}\n"
    )


def check_vlan(words: list[str]) -> None:
    """check-vlan TCI MASK."""
    tci, mask = _hex_argument(words[1]), _hex_argument(words[2])
    match = Match(tci << _TCI.shift, mask << _TCI.shift)
    _check_text(match)
    _check_nxm(match)
    _check_oxm(match)
    octets = fixed_match.encode10(match)
    wildcards = int.from_bytes(octets[:4], "big")
    _check_fixed("OF1.0", octets, wildcards, (18, 20, 20), fixed_match.decode10(octets))
    octets = fixed_match.encode11(match)
    wildcards = int.from_bytes(octets[8:12], "big")
    found = fixed_match.take11(Cursor(octets))
    _check_fixed("OF1.1", octets, wildcards, (36, 38, 2), found)
