# SPDX-License-Identifier: Apache-2.0
"""Commands without a switch: what text and octets mean (parse-flow, ofp-print ...)."""

from __future__ import annotations

import sys

from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.parse.tokens import atoi, hex_octets, key_values, scan_int
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.openflow.actions.action import Actions
    from ovswitch.openflow.messages.flow_mod import FlowMod

_HEADER_SIZE = 8
_MAX_BITMAP = 0xFFFFFFFF


def _write(text: str) -> None:
    sys.stdout.write(text)


def choose_protocol(usable: int) -> int:
    """Tell which protocols would do; return the first that is allowed."""
    _write(f"usable protocols: {protocols.to_string(usable)}\n")
    allowed = usable & settings.protocols
    if not allowed:
        sys.stdout.flush()
        fatal.die("no usable protocol")
    return allowed & -allowed


def _print_flows(flows: Sequence[FlowMod], usable: int) -> None:
    from ovswitch.openflow.text import format_message

    protocol = choose_protocol(usable)
    _write(f"chosen protocol: {protocols.NAMES[protocol]}\n")
    for xid, flow in enumerate(flows, 1):
        _write(format_message(flow.encode(protocol, xid), settings.verbosity))


def parse_flow(words: list[str]) -> None:
    """parse-flow FLOW."""
    from ovswitch.openflow.messages.flow_mod import OFPFC_ADD
    from ovswitch.openflow.parse.flow import parse_flow_mod

    try:
        flow, usable = parse_flow_mod(words[1], OFPFC_ADD)
    except ValueError as error:
        fatal.die(str(error))
    _print_flows([flow], usable)


def parse_flows(words: list[str]) -> None:
    """parse-flows FILE."""
    from ovswitch.openflow.messages.flow_mod import OFPFC_ADD
    from ovswitch.openflow.parse.files import parse_flow_file

    try:
        flows, usable = parse_flow_file(words[1], OFPFC_ADD)
    except ValueError as error:
        fatal.die(str(error))
    _print_flows(flows, usable)


def print_differences(before: bytes, after: bytes, prefix: str = "") -> None:
    """Print each octet that differs."""
    common = min(len(before), len(after))
    for at in range(common):
        if before[at] != after[at]:
            _write(f"{prefix}{at:2}: {before[at]:02x} -> {after[at]:02x}\n")
    for at in range(common, len(after)):
        _write(f"{prefix}{at:2}: (none) -> {after[at]:02x}\n")
    for at in range(common, len(before)):
        _write(f"{prefix}{at:2}: {before[at]:02x} -> (none)\n")


def whole_hex(text: str, complaint: str) -> bytes:
    """Return the octets that `text` has in hexadecimal; die if there is more."""
    octets, rest = hex_octets(text)
    if rest:
        sys.stdout.flush()
        fatal.die(complaint)
    return octets


def hex_lines(octets: bytes) -> str:
    """Return octets in hexadecimal, as they are printed on standard output."""
    from ovswitch.openflow.text import hex_dump

    return hex_dump(octets, ascii_column=False).replace("-\n", "\n")


def parse_actions(words: list[str]) -> None:
    """parse-actions VERSION < HEX."""
    _parse_octets(words[1], instructions=False)


def parse_instructions(words: list[str]) -> None:
    """parse-instructions VERSION < [TABLE,]HEX."""
    _parse_octets(words[1], instructions=True)


def _decode(octets: bytes, version: int, table: int | None) -> Actions:
    """Return actions, or checked instructions if there is a table."""
    from ovswitch.flow.match import MATCH_ALL
    from ovswitch.openflow import actions

    if table is None:
        return actions.decode(octets, version)
    found = actions.decode(octets, version, instructions=True)
    return actions.check(
        found, MATCH_ALL, protocols.of_version(version), table_id=table, n_tables=255
    )


def _parse_octets(version_name: str, *, instructions: bool) -> None:
    from ovswitch.openflow import actions
    from ovswitch.openflow import version as versions
    from ovswitch.openflow.errors import OpenFlowError
    from ovswitch.openflow.parse.files import preprocessed_lines

    version = versions.from_name(version_name)
    if version is None:
        fatal.die(f"{version_name}: not a valid OpenFlow version")
    kind = "instructions" if instructions else "actions"
    for _, line in preprocessed_lines(sys.stdin):
        table_text, comma, text = line.partition(",")
        octets = whole_hex(text if comma else line, "Trailing garbage in hex data")
        table = atoi(table_text) & 0xFF if comma else 0
        sys.stdout.flush()
        try:
            found = _decode(octets, version, table if instructions else None)
        except OpenFlowError as error:
            _write(f"bad {version_name} {kind}: {error.name}\n\n")
            continue
        _write(f"actions={actions.format_actions(found)}\n")
        again = actions.encode(found, version, instructions=instructions)
        print_differences(octets, again)
        _write("\n")


#: What print-error calls the versions.
_ERROR_DOMAINS = {
    number: f"OpenFlow 1.{number - 1}" for number in range(1, 7)
}  # fmt: skip


def _check_error_name(name: str) -> None:
    from ovswitch.openflow import errors

    if name not in errors.NAMES:
        fatal.die(f'unknown error "{name}"')


def print_error(words: list[str]) -> None:
    """print-error ERROR."""
    from ovswitch.openflow import errors

    _check_error_name(words[1])
    for version, domain in _ERROR_DOMAINS.items():
        numbers = errors.numbers(words[1], version)
        if numbers is not None:
            vendor, kind, code = numbers
            shown = f"{vendor:#x}" if vendor else "0"
            _write(f"{domain}: vendor {shown}, type {kind}, code {code}\n")


def encode_error_reply(words: list[str]) -> None:
    """encode-error-reply ERROR REQUEST."""
    from ovswitch.openflow import errors

    _check_error_name(words[1])
    request = whole_hex(words[2], "Trailing garbage in hex data")
    if len(request) < _HEADER_SIZE:
        fatal.die("Request too short")
    if len(request) != int.from_bytes(request[2:4], "big"):
        fatal.die("Request size inconsistent")
    _write(hex_lines(errors.encode_reply(words[1], request)))


def ofp_print(words: list[str]) -> None:
    """ofp-print HEX|- [VERBOSITY]."""
    from ovswitch.openflow.text import format_message

    verbosity = atoi(words[2]) if len(words) > 2 else 2
    if words[1] == "-" and settings.raw:
        octets = sys.stdin.buffer.read()
    else:
        text = words[1]
        if text == "-":
            text = sys.stdin.readline().removesuffix("\n")
        octets = whole_hex(text, "trailing garbage following hex bytes")
    _write(format_message(octets, verbosity))


def encode_hello(words: list[str]) -> None:
    """encode-hello BITMAP."""
    from ovswitch.openflow import vconn
    from ovswitch.openflow.text import format_message

    found = scan_int(words[1])
    hello = vconn.encode_hello(found[0] & _MAX_BITMAP if found else 0)
    _write(hex_lines(hello))
    _write(format_message(hello, settings.verbosity))


def parse_key_value(words: list[str]) -> None:
    """parse-key-value STRING..."""
    for word in words[1:]:
        pairs = [f"{key}={value}" if value else key for key, value in key_values(word)]
        _write(", ".join(pairs) + "\n")
