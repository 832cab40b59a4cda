# SPDX-License-Identifier: Apache-2.0
"""Choosing by hash: bundle, bundle_load and multipath."""

from __future__ import annotations

import struct

from ovswitch.flow.names import OFPP_CONTROLLER, OFPP_MAX, OFPP_NONE
from ovswitch.openflow.actions import fieldcodec, raws, subfield
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import warn_rl
from ovswitch.openflow.actions.output import is_output_port
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, atoi, first_token, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

#: NX_HASH_FIELDS_*: what to hash; a name's place is its number.
HASH_FIELDS = (
    "eth_src",
    "symmetric_l4",
    "symmetric_l3l4",
    "symmetric_l3l4+udp",
    "nw_src",
    "nw_dst",
    "symmetric_l3",
)
#: NX_BD_ALG_*.
BUNDLE_ALGORITHMS = ("active_backup", "hrw")
#: NX_MP_ALG_*.
MULTIPATH_ALGORITHMS = ("modulo_n", "hash_threshold", "hrw", "iter_hash")
BUNDLE_MAX_MEMBERS = 2048

NXM_OF_IN_PORT = 0x00000002

_BUNDLE = struct.Struct("!HHHIHHI4x")
_MULTIPATH = struct.Struct("!HH2xHHI2xHI")


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else "<unknown>"


class Bundle(Action):
    """Choose one of `members`, ports: send to it or, with `dst`, store its number.

    Attributes:
        algorithm: place in BUNDLE_ALGORITHMS.
        fields: place in HASH_FIELDS.
        basis: of the hash.
        members: ports, OFPP_NONE for nobody.
        dst: where to store the choice, or None to send the packet there.
    """

    __slots__ = ("algorithm", "basis", "dst", "fields", "members")
    keyword = "bundle"

    def __init__(
        self,
        algorithm: int,
        fields: int,
        basis: int,
        members: tuple[int, ...],
        dst: Subfield | None = None,
    ) -> None:
        self.algorithm = algorithm
        self.fields = fields
        self.basis = basis
        self.members = members
        self.dst = dst

    def encode(self, version: int) -> bytes:  # noqa: D102
        ofs_nbits = header = 0
        if self.dst is not None:
            ofs_nbits = self.dst.put_ofs_nbits()
            header = fieldcodec.nxm_header(self.dst.field)
        body = _BUNDLE.pack(
            self.algorithm,
            self.fields,
            self.basis,
            NXM_OF_IN_PORT,
            len(self.members),
            ofs_nbits,
            header,
        ) + struct.pack(f"!{len(self.members)}H", *self.members)
        return raws.put("bundle" if self.dst is None else "bundle_load", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, param, end = colors.paren, colors.param, colors.end
        fields = _name(HASH_FIELDS, self.fields)
        algorithm = _name(BUNDLE_ALGORITHMS, self.algorithm)
        name = "bundle" if self.dst is None else "bundle_load"
        dst = "" if self.dst is None else f"{self.dst},"
        members = ",".join(map(printing.port, self.members))
        return (
            f"{paren}{name}({end}{fields},{self.basis},{algorithm},ofport,{dst}"
            f"{param}members:{end}{members}{paren}){end}"
        )

    def check(self, checking: Checking) -> Action:  # noqa: D102
        self.check_members(checking.max_ports, checking)
        return self

    def check_members(self, max_ports: int, checking: Checking | None) -> None:
        """Raise the error for a wrong member or destination."""
        if self.dst is not None:
            self.dst.check_destination(checking)
        for port in self.members:
            if port != OFPP_NONE and not is_output_port(port, max_ports):
                warn_rl(f"invalid member {port}", "bundle")
                raise OpenFlowError("OFPBAC_BAD_OUT_PORT")
            if port == OFPP_CONTROLLER:
                warn_rl("unsupported controller member", "bundle")
                raise OpenFlowError("OFPBAC_BAD_OUT_PORT")


class Multipath(Action):
    """Hash the packet and store the number of a link in `dst`.

    Attributes:
        fields: place in HASH_FIELDS.
        basis: of the hash.
        algorithm: place in MULTIPATH_ALGORITHMS.
        max_link: the greatest number.
        arg: for the algorithm.
        dst: where the number goes.
    """

    __slots__ = ("algorithm", "arg", "basis", "dst", "fields", "max_link")
    keyword = "multipath"

    def __init__(
        self,
        fields: int,
        basis: int,
        algorithm: int,
        max_link: int,
        arg: int,
        dst: Subfield,
    ) -> None:
        self.fields = fields
        self.basis = basis
        self.algorithm = algorithm
        self.max_link = max_link
        self.arg = arg
        self.dst = dst

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = _MULTIPATH.pack(
            self.fields,
            self.basis,
            self.algorithm,
            self.max_link,
            self.arg,
            self.dst.put_ofs_nbits(),
            fieldcodec.nxm_header(self.dst.field),
        )
        return raws.put("multipath", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, end = colors.paren, colors.end
        fields = _name(HASH_FIELDS, self.fields)
        algorithm = _name(MULTIPATH_ALGORITHMS, self.algorithm)
        return (
            f"{paren}multipath({end}{fields},{self.basis},{algorithm},"
            f"{self.max_link + 1},{self.arg},{self.dst}{paren}){end}"
        )

    def check(self, checking: Checking) -> Action:  # noqa: D102
        self.dst.check_destination(checking)
        return self


def _choose(text: str, what: str, name: str, names: tuple[str, ...]) -> int:
    if name.lower() not in names:
        raise ParseError(f"{text}: unknown {what} `{name}'")
    return names.index(name.lower())


def _check_short(text: str, name: str, dst: Subfield) -> None:
    """Raise unless the field has a 32-bit header, all that these actions can hold."""
    if not fieldcodec.nxm_header(dst.field):
        raise ParseError(f"{text}: experimenter OXM field '{name}' not supported")


def _parse_bundle(text: str, parsing: Parsing, n_words: int) -> Action:
    words: list[str | None] = []
    rest = text
    for _ in range(n_words):
        word, rest = first_token(rest, ", ")
        words.append(word)
    delimiter, rest = first_token(rest, ": ")
    if delimiter is None:
        raise ParseError(f"{text}: not enough arguments to bundle action")
    if delimiter.lower() not in ("members", "slaves"):
        raise ParseError(
            f"{text}: missing member delimiter, expected `members', got `{delimiter}'"
        )
    members = []
    for member in tokens(rest, ", []")[:BUNDLE_MAX_MEMBERS]:
        port = parsing.port(member)
        if port is None:
            raise ParseError(f"{member}: bad port number")
        members.append(port)
    fields, basis, algorithm, kind, *dst_name = [word or "" for word in words]
    fields_number = _choose(text, "fields", fields, HASH_FIELDS)
    algorithm_number = _choose(text, "algorithm", algorithm, BUNDLE_ALGORITHMS)
    _choose(text, "member_type", kind, ("ofport",))
    dst = None
    if dst_name:
        dst = subfield.parse(dst_name[0])
        _check_short(text, dst_name[0], dst)
    basis_number = atoi(basis) & 0xFFFF
    return Bundle(algorithm_number, fields_number, basis_number, tuple(members), dst)


def _parse_multipath(text: str, parsing: Parsing) -> Action:
    words = tokens(text, ", ")
    if len(words) < 6:
        raise ParseError(f"{text}: not enough arguments to multipath action")
    fields = _choose(text, "fields", words[0], HASH_FIELDS)
    algorithm = _choose(text, "algorithm", words[2], MULTIPATH_ALGORITHMS)
    n_links = atoi(words[3])
    if not 1 <= n_links <= 65536:
        raise ParseError(f"{text}: n_links {n_links} is not in valid range 1 to 65536")
    dst = subfield.parse(words[5])
    _check_short(text, words[5], dst)
    if dst.n_bits < 16 and n_links > 1 << dst.n_bits:
        raise ParseError(
            f"{text}: {dst.n_bits}-bit destination field has {1 << dst.n_bits} "
            f"possible values, less than specified n_links {n_links}"
        )
    basis = atoi(words[1]) & 0xFFFF
    return Multipath(
        fields, basis, algorithm, n_links - 1, atoi(words[4]) & 0xFFFFFFFF, dst
    )


PARSERS: dict[str, Parser] = {
    "bundle": lambda text, parsing: _parse_bundle(text, parsing, 4),
    "bundle_load": lambda text, parsing: _parse_bundle(text, parsing, 5),
    "multipath": _parse_multipath,
}


def _decode_bundle(octets: bytes, load: bool) -> Action:
    algorithm, fields, basis, kind, n_members, ofs_nbits, header = _BUNDLE.unpack_from(
        octets, 10
    )
    if load:
        field = fieldcodec.pull_nxm_header(header)
        dst = subfield.from_ofs_nbits(field, ofs_nbits)
    else:
        dst = None
    if len(octets) - 32 < 2 * n_members:
        raise OpenFlowError(
            "OFPBAC_BAD_LEN",
            f"Nicira action {'bundle_load' if load else 'bundle'} only has "
            f"{len(octets) - 32} bytes allocated for members.  {2 * n_members} bytes "
            f"are required for {n_members} members.",
        )
    problem = (
        fields >= len(HASH_FIELDS)
        or n_members > BUNDLE_MAX_MEMBERS
        or algorithm >= len(BUNDLE_ALGORITHMS)
        or kind != NXM_OF_IN_PORT
        or any(octets[28:32])
    )
    wrong_dst = dst.n_bits < 16 if dst is not None else bool(ofs_nbits or header)
    # A load's error in the fields before is forgotten, as the reference forgets it.
    if wrong_dst or (problem and not load):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    members = struct.unpack_from(f"!{n_members}H", octets, 32)
    action = Bundle(algorithm, fields, basis, members, dst)
    action.check_members(OFPP_MAX, None)
    return action


def _decode_multipath(octets: bytes, number: int, version: int) -> Action:
    fields, basis, algorithm, max_link, arg, ofs_nbits, header = _MULTIPATH.unpack_from(
        octets, 10
    )
    dst = subfield.from_ofs_nbits(fieldcodec.pull_nxm_header(header), ofs_nbits)
    if (
        fields >= len(HASH_FIELDS)
        or algorithm >= len(MULTIPATH_ALGORITHMS)
        or dst.n_bits < max_link.bit_length()
    ):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    dst.check_destination()
    return Multipath(fields, basis, algorithm, max_link, arg, dst)


DECODERS: dict[str, Decoder] = {
    "bundle": lambda octets, number, version: _decode_bundle(octets, False),
    "bundle_load": lambda octets, number, version: _decode_bundle(octets, True),
    "multipath": _decode_multipath,
}
