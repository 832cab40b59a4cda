# SPDX-License-Identifier: Apache-2.0
"""Flow keys and masks as text: what dpctl/dump-flows prints before the statistics.

Works on attributes, not on flows, so that whatever a datapath sent can be shown.
A member is left out where its mask is empty, unless `verbose`; its mask is written
where it is neither empty nor full.
Source: the reference's odp-util.c for every form; odd ones are scripts' to parse.
"""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import attributes as a
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp import tunnel_text
from ovswitch.datapath.odp.member_text import alternate, format_member
from ovswitch.datapath.odp.scan import format_flags, format_flags_masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: Names of ports by number, for in_port and outputs.
    PortNames = Mapping[int, str]

_CT_STATE_NAMES = n.CT_STATE_FLAGS
_MAX_DEPTH = 32  # of encap() in encap()


def port_name(ports: PortNames | None, number: int) -> str:
    """Return a port's name, or its number where it has none."""
    if ports is not None and number in ports:
        return ports[number]
    return str(number)


def hex_octets(octets: bytes) -> str:
    """Return octets in hexadecimal as "aa bb"."""
    return octets.hex(" ")


def format_key(
    key: bytes,
    mask: bytes | None = None,
    ports: PortNames | None = None,
    *,
    verbose: bool = False,
) -> str:
    """Return the text of a flow key, with its mask where there is one.

    Args:
        key: OVS_KEY_ATTR_* attributes.
        mask: the same for the mask; None or empty means an exact match.
        ports: names to show for ports.
        verbose: show wildcarded members too.
    """
    return _format(key, mask, ports, verbose=verbose, depth=0)


def _format(
    key: bytes,
    mask: bytes | None,
    ports: PortNames | None,
    *,
    verbose: bool,
    depth: int,
) -> str:
    if not key or depth > _MAX_DEPTH:
        return "<empty>"
    found, rest = netlink.walk(key)
    masks = dict(netlink.walk(mask)[0]) if mask else None
    words: list[str] = []
    text = ""
    numbers = [number for number, _ in found]
    has_packet_type = False
    for number, payload in found:
        own_mask = masks.get(number) if masks is not None else None
        bad = bad_size(number, payload, own_mask)
        if bad is not None:
            # The reference sets no comma around what it can't read.
            text += bad
            continue
        wildcard = masks is not None and (
            own_mask is None or _is_wildcard(number, own_mask)
        )
        has_packet_type |= number == n.OVS_KEY_ATTR_PACKET_TYPE
        if verbose or not wildcard or a.key_size(number) == a.NESTED:
            if wildcard and own_mask is None:
                own_mask = _empty_mask(number, payload)
            word = format_attribute(
                number, payload, own_mask, ports, verbose=verbose, depth=depth
            )
        elif number == n.OVS_KEY_ATTR_ETHERNET and not has_packet_type:
            word = "eth()"  # that there is a header is a match in itself
        else:
            if number == n.OVS_KEY_ATTR_PACKET_TYPE:
                has_packet_type = False
            continue
        words.append(text + word)
        text = ""
    return ",".join(words) + text + _format_rest(key, rest) + _no_type(numbers, masks)


def _format_rest(key: bytes, rest: bytes) -> str:
    if not rest:
        return ""
    empty = "<empty>" if len(rest) == len(key) else ""
    return f"{empty},***{len(rest)} leftover bytes*** ({rest.hex()})"


def _no_type(numbers: list[int], masks: dict[int, bytes] | None) -> str:
    """Return the match on a frame without a type, which has no key attribute."""
    if masks is None or n.OVS_KEY_ATTR_ETHERTYPE in numbers:
        return ""
    own = masks.get(n.OVS_KEY_ATTR_ETHERTYPE)
    if own is None or len(own) != 2:
        return ""
    return f",eth_type(0/0x{int.from_bytes(own, 'big'):04x})"


def bad_size(number: int, payload: bytes, mask: bytes | None) -> str | None:
    """Return the text of an attribute whose size is wrong, None if it is right."""
    size = a.key_size(number)
    if number > n.OVS_KEY_ATTR_MAX or size in (a.VARIABLE, a.NESTED):
        return None
    bad_key = len(payload) != size
    bad_mask = mask is not None and len(mask) != size
    if not bad_key and not bad_mask:
        return None
    text = ""
    if bad_key:
        text += f"(bad key length {len(payload)}, expected {size})("
    text += hex_octets(payload)
    if mask is not None:
        text += "/"
        if bad_mask:
            text += f"(bad mask length {len(mask)}, expected {size})("
        text += hex_octets(mask)
    return text + ")"


def _is_wildcard(number: int, mask: bytes) -> bool:
    key = a.KEYS.get(number)
    if key is None or number == n.OVS_KEY_ATTR_ENCAP:
        return False
    return key.is_constant(mask, 0)


def _is_exact(number: int, mask: bytes) -> bool:
    key = a.KEYS.get(number)
    if key is None or number == n.OVS_KEY_ATTR_ENCAP:
        return False
    return key.is_constant(mask, 0xFF)


def _empty_mask(number: int, payload: bytes) -> bytes:
    """Return the mask that matches anything, of a key's form."""
    if number == n.OVS_KEY_ATTR_TUNNEL:
        return tunnel_text.empty_mask(payload)
    if a.key_size(number) == a.NESTED:
        return b"".join(
            netlink.attr(inner, bytes(len(octets)))
            for inner, octets in netlink.walk(payload)[0]
        )
    return bytes(len(payload))


def format_attribute(
    number: int,
    payload: bytes,
    mask: bytes | None,
    ports: PortNames | None,
    *,
    verbose: bool,
    depth: int = 0,
) -> str:
    """Return "name(...)" for one attribute of the right size."""
    special = _SPECIAL.get(number)
    key = a.KEYS.get(number)
    if number == n.OVS_KEY_ATTR_IN_PORT:
        inner = _format_in_port(payload, mask, ports)
    elif number == n.OVS_KEY_ATTR_ENCAP:
        inner = ""
        if payload:
            own = mask or None
            inner = _format(payload, own, None, verbose=verbose, depth=depth + 1)
    elif special is not None:
        inner = special(payload, mask, verbose)
    elif key is not None:
        inner = _format_members(key, payload, mask, verbose=verbose)
    else:
        inner = hex_octets(payload)
        if mask is not None:
            inner += "/" + hex_octets(mask)
    return f"{a.key_name(number)}({inner})"


def _format_members(
    key: a.Key, payload: bytes, mask: bytes | None, *, verbose: bool
) -> str:
    value = int.from_bytes(payload, "big")
    masks = None if mask is None else int.from_bytes(mask, "big")
    words = []
    for member in key.written:
        ones = (1 << member.width) - 1
        bits = value >> member.shift & ones
        own = ones if masks is None else masks >> member.shift & ones
        word = format_member(member.kind, bits, own, ones, verbose=verbose)
        if word is not None:
            is_error = word.startswith("error")
            words.append(word if is_error else f"{member.text}={word}")
    return ",".join(words)


def _word(payload: bytes) -> int:
    return netlink.get_uint(payload)


def _format_in_port(payload: bytes, mask: bytes | None, ports: PortNames | None) -> str:
    if mask is None or _is_exact(n.OVS_KEY_ATTR_IN_PORT, mask):
        return port_name(ports, _word(payload))
    return f"{_word(payload)}/{alternate(_word(mask))}"


def _format_word(payload: bytes, mask: bytes | None, _verbose: bool) -> str:
    text = alternate(_word(payload))
    if mask is not None and mask != b"\xff" * len(mask):
        text += f"/{alternate(_word(mask))}"
    return text


def _format_ct_word(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    if verbose or (mask is not None and any(mask)):
        return _format_word(payload, mask, verbose)
    return ""


def _format_ct_state(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    if verbose:
        return _format_word(payload, mask, verbose)
    if mask is not None and mask != b"\xff" * len(mask):
        return format_flags_masked(
            _CT_STATE_NAMES, _word(payload), _word(mask), 0xFFFFFFFF
        )
    return format_flags(_CT_STATE_NAMES, _word(payload), "|")


def format_u128(value: bytes, mask: bytes | None, *, verbose: bool) -> str:
    """Return connection labels (in host order) in hexadecimal."""
    if not verbose and (mask is None or not any(mask)):
        return ""
    text = alternate(_word(value))
    if mask is not None and mask != b"\xff" * 16:
        text += "/" + alternate(_word(mask))
    return text


def _format_labels(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    return format_u128(payload, mask, verbose=verbose)


def _format_packet_type(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    value = int.from_bytes(payload, "big")
    masks = 0xFFFFFFFF if mask is None else int.from_bytes(mask, "big")
    words = []
    for name, kind, shift in (("ns", a.BE16, 16), ("id", a.BE16X, 0)):
        word = format_member(
            kind,
            value >> shift & 0xFFFF,
            masks >> shift & 0xFFFF,
            0xFFFF,
            verbose=verbose,
        )
        if word is not None:
            words.append(f"{name}={word}")
    return ",".join(words)


def _format_vlan(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    tci = int.from_bytes(payload, "big")
    return format_vlan_tci(
        tci, 0xFFFF if mask is None else int.from_bytes(mask, "big"), verbose=verbose
    )


def format_vlan_tci(tci: int, mask: int, *, verbose: bool) -> str:
    """Return a VLAN's id and priority; cfi only where it is clear."""
    words = []
    vid, vid_mask = tci & 0xFFF, mask & 0xFFF
    pcp, pcp_mask = tci >> 13, mask >> 13
    if verbose or vid or vid_mask:
        words.append(f"vid={vid}" + (f"/0x{vid_mask:x}" if vid_mask != 0xFFF else ""))
    if verbose or pcp or pcp_mask:
        words.append(f"pcp={pcp}" + (f"/0x{pcp_mask:x}" if pcp_mask != 7 else ""))
    if not tci & 0x1000:
        words.append("cfi=0")
    return ",".join(words)


def format_mpls_lse(lse: int) -> str:
    """Return an MPLS label stack entry."""
    label, tc, bos, ttl = _split_lse(lse)
    return f"label={label},tc={tc},ttl={ttl},bos={bos}"


def _split_lse(lse: int) -> tuple[int, int, int, int]:
    return lse >> 12, lse >> 9 & 7, lse >> 8 & 1, lse & 0xFF


def _format_mpls(payload: bytes, mask: bytes | None, _verbose: bool) -> str:
    if not payload or len(payload) % 4:
        return f"(bad key length {len(payload)})"
    exact = mask is None or mask == b"\xff" * len(mask)
    if not exact and mask is not None and len(mask) != len(payload):
        return f"(key length {len(payload)} != mask length {len(mask)})"
    words = []
    for at in range(0, len(payload), 4):
        lse = int.from_bytes(payload[at : at + 4], "big")
        if exact or mask is None:
            words.append(format_mpls_lse(lse))
            continue
        label, tc, bos, ttl = _split_lse(lse)
        masks = _split_lse(int.from_bytes(mask[at : at + 4], "big"))
        words.append(
            f"label={label}/0x{masks[0]:x},tc={tc}/{masks[1]:x},"
            f"ttl={ttl}/0x{masks[3]:x},bos={bos}/{masks[2]:x}"
        )
    return ",".join(words)


def _format_eth_type(payload: bytes, mask: bytes | None, _verbose: bool) -> str:
    text = f"0x{int.from_bytes(payload, 'big'):04x}"
    if mask is not None and mask != b"\xff\xff":
        text += f"/0x{int.from_bytes(mask, 'big'):04x}"
    return text


def _format_tcp_flags(payload: bytes, mask: bytes | None, _verbose: bool) -> str:
    flags = int.from_bytes(payload, "big")
    if mask is not None and not _is_exact(n.OVS_KEY_ATTR_TCP_FLAGS, mask):
        own = int.from_bytes(mask, "big") & 0xFFF
        return format_flags_masked(n.TCP_FLAGS, flags, own, 0xFFF)
    return format_flags(n.TCP_FLAGS, flags, "|")


def _format_nsh(payload: bytes, mask: bytes | None, _verbose: bool) -> str:
    inner = dict(netlink.walk(payload)[0])
    base = _sized(inner, n.OVS_NSH_KEY_ATTR_BASE, bytes(8))
    contexts = _sized(inner, n.OVS_NSH_KEY_ATTR_MD1, bytes(16))
    if mask is None:
        return format_nsh(base, contexts)
    # What the key doesn't have is shown as if it were matched exactly.
    masks = {k: v for k, v in netlink.walk(mask)[0] if k in inner}
    return format_nsh_masked(
        base,
        contexts,
        _sized(masks, n.OVS_NSH_KEY_ATTR_BASE, b"\xff" * 8),
        _sized(masks, n.OVS_NSH_KEY_ATTR_MD1, b"\xff" * 16),
    )


def _sized(inner: dict[int, bytes], number: int, default: bytes) -> bytes:
    """Return an attribute's payload if it has the default's size, or the default."""
    payload = inner.get(number, default)
    return payload if len(payload) == len(default) else default


def format_nsh(base: bytes, contexts: bytes) -> str:
    """Return a network service header's fields."""
    flags, ttl, mdtype, np = base[:4]
    path = int.from_bytes(base[4:], "big")
    text = f"flags={flags},ttl={ttl},mdtype={mdtype},np={np}"
    text += f",spi=0x{path >> 8:x},si={path & 0xFF}"
    if mdtype == 1:
        for i in range(4):
            context = int.from_bytes(contexts[4 * i : 4 * i + 4], "big")
            text += f",c{i + 1}=0x{context:x}"
    return text


def format_nsh_masked(
    base: bytes, contexts: bytes, base_mask: bytes, context_masks: bytes
) -> str:
    """Return those fields of a network service header whose masks aren't empty."""
    words = []

    def octet(name: str, value: int, mask: int) -> None:
        if mask == 0xFF:
            words.append(f"{name}={value}")
        elif mask:
            words.append(f"{name}=0x{value:02x}/0x{mask:02x}")

    def word(name: str, value: int, mask: int) -> None:
        if mask == 0xFFFFFFFF:
            words.append(f"{name}=0x{value:x}")
        elif mask:
            words.append(f"{name}=0x{value:x}/0x{mask:08x}")

    for i, name in enumerate(("flags", "ttl", "mdtype", "np")):
        octet(name, base[i], base_mask[i])
    path, path_mask = (int.from_bytes(x[4:8], "big") for x in (base, base_mask))
    spi_mask = path_mask >> 8
    word("spi", path >> 8, 0xFFFFFFFF if spi_mask == 0xFFFFFF else spi_mask)
    octet("si", path & 0xFF, path_mask & 0xFF)
    for i in range(4):
        context, mask = (
            int.from_bytes(x[4 * i : 4 * i + 4], "big")
            for x in (contexts, context_masks)
        )
        word(f"c{i + 1}", context, mask)
    return ",".join(words)


_SPECIAL: dict[int, Callable[[bytes, bytes | None, bool], str]] = {
    n.OVS_KEY_ATTR_PRIORITY: _format_word,
    n.OVS_KEY_ATTR_SKB_MARK: _format_word,
    n.OVS_KEY_ATTR_DP_HASH: _format_word,
    n.OVS_KEY_ATTR_RECIRC_ID: _format_word,
    n.OVS_KEY_ATTR_CT_MARK: _format_ct_word,
    n.OVS_KEY_ATTR_CT_ZONE: _format_ct_word,
    n.OVS_KEY_ATTR_CT_STATE: _format_ct_state,
    n.OVS_KEY_ATTR_CT_LABELS: _format_labels,
    n.OVS_KEY_ATTR_TUNNEL: tunnel_text.format_tunnel,
    n.OVS_KEY_ATTR_PACKET_TYPE: _format_packet_type,
    n.OVS_KEY_ATTR_VLAN: _format_vlan,
    n.OVS_KEY_ATTR_MPLS: _format_mpls,
    n.OVS_KEY_ATTR_ETHERTYPE: _format_eth_type,
    n.OVS_KEY_ATTR_TCP_FLAGS: _format_tcp_flags,
    n.OVS_KEY_ATTR_NSH: _format_nsh,
}


def format_ufid(ufid: bytes) -> str:
    """Return a flow's identifier (16 octets, four words in host order) as text."""
    words = [netlink.get_uint(ufid[at : at + 4]) for at in range(0, 16, 4)]
    digits = "".join(f"{word:08x}" for word in words)
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "ufid:" + "-".join(parts)
