# SPDX-License-Identifier: Apache-2.0
"""What a datapath can do: found by probing it, shown and limited by appctl.

`FEATURES` is the table: the name in `dpif/set-dp-features`, the title in
`dpif/show-dp-features`, and what the userspace datapath has.
"""

from __future__ import annotations

#: (name, title, value on the userspace datapath), in the order of the list.
FEATURES: tuple[tuple[str, str, bool | int], ...] = (
    ("masked_set_action", "Masked set action", True),
    ("tnl_push_pop", "Tunnel push pop", True),
    ("ufid", "Ufid", True),
    ("trunc", "Truncate action", True),
    ("clone", "Clone action", True),
    ("sample_nesting", "Sample nesting", 10),
    ("ct_eventmask", "Conntrack eventmask", True),
    ("ct_clear", "Conntrack clear", True),
    ("max_hash_alg", "Max dp_hash algorithm", 1),
    ("check_pkt_len", "Check pkt length action", True),
    ("ct_timeout", "Conntrack timeout policy", True),
    ("explicit_drop_action", "Explicit Drop action", True),
    ("lb_output_action", "Optimized Balance TCP mode", True),
    ("ct_zero_snat", "Conntrack all-zero IP SNAT", True),
    ("add_mpls", "MPLS Label add", True),
    ("max_vlan_headers", "Max VLAN headers", 1),
    ("max_mpls_depth", "Max MPLS depth", 3),
    ("recirc", "Recirc", True),
    ("ct_state", "CT state", True),
    ("ct_zone", "CT zone", True),
    ("ct_mark", "CT mark", True),
    ("ct_label", "CT label", True),
    ("ct_state_nat", "CT state NAT", True),
    ("ct_orig_tuple", "CT orig tuple", True),
    ("ct_orig_tuple6", "CT orig tuple for IPv6", True),
    ("nd_ext", "IPv6 ND Extension", True),
)

# As `dpif/set-dp-features` lists them: the reference's hash order.
_LISTED = (
    "sample_nesting", "clone", "ufid", "lb_output_action", "nd_ext", "ct_orig_tuple",
    "tnl_push_pop", "ct_eventmask", "ct_state", "ct_zero_snat", "ct_clear",
    "max_vlan_headers", "recirc", "ct_label", "max_hash_alg", "add_mpls",
    "ct_state_nat", "ct_timeout", "explicit_drop_action", "ct_mark", "ct_orig_tuple6",
    "max_mpls_depth", "masked_set_action", "check_pkt_len", "ct_zone", "trunc",
)  # fmt: skip


class Support:
    """A datapath's features, as attributes named like the rows of `FEATURES`."""

    masked_set_action: bool
    tnl_push_pop: bool
    ufid: bool
    trunc: bool
    clone: bool
    sample_nesting: int
    ct_eventmask: bool
    ct_clear: bool
    max_hash_alg: int
    check_pkt_len: bool
    ct_timeout: bool
    explicit_drop_action: bool
    lb_output_action: bool
    ct_zero_snat: bool
    add_mpls: bool
    max_vlan_headers: int
    max_mpls_depth: int
    recirc: bool
    ct_state: bool
    ct_zone: bool
    ct_mark: bool
    ct_label: bool
    ct_state_nat: bool
    ct_orig_tuple: bool
    ct_orig_tuple6: bool
    nd_ext: bool

    __slots__ = tuple(name for name, _, _ in FEATURES)

    def __init__(self, values: dict[str, bool | int] | None = None) -> None:
        for name, _, default in FEATURES:
            value = default if values is None else values.get(name, default)
            setattr(self, name, value)

    def copy(self) -> Support:
        """Return an equal one."""
        return Support({name: getattr(self, name) for name, _, _ in FEATURES})

    def show(self) -> str:
        """Return the text of `dpif/show-dp-features`."""
        lines = []
        for name, title, _ in FEATURES:
            value = getattr(self, name)
            if isinstance(value, bool):
                value = "Yes" if value else "No"
            lines.append(f"{title}: {value}\n")
        return "".join(lines)

    def set(self, name: str, value: str, boot: Support) -> tuple[str, bool]:
        """Change a feature at run time, to no more than it was at boot time.

        Return the reply of `dpif/set-dp-features`, and whether anything changed.
        """
        limit = getattr(boot, name)
        wanted: bool | int
        if isinstance(limit, bool):
            if value.lower() not in {"true", "false"}:
                return "Boolean value expected", False
            wanted = value.lower() == "true"
            if wanted and not limit:
                return "Can not enable features not supported by the datapth", False
        else:
            if not value.lstrip("-").isdigit():
                return "Integer number expected", False
            wanted = int(value)
            if wanted < 0:
                return "Negative number not expected", False
            if wanted > limit:
                return "Can not set value beyond the datapath capability", False
        setattr(self, name, wanted)
        return "", True

    def describe(self, name: str, boot: Support) -> str:
        """Return a feature's line in `dpif/set-dp-features`."""
        title = next(title for known, title, _ in FEATURES if known == name)
        return (
            f"{name} ({title}) : [run time]:{_text(getattr(self, name))},"
            f" [boot time]:{_text(getattr(boot, name))}\n"
        )

    def command(self, arguments: list[str], boot: Support) -> tuple[str, bool]:
        """Return the reply of `dpif/set-dp-features`, and whether anything changed."""
        if not arguments:
            return "".join(self.describe(name, boot) for name in _LISTED), False
        if arguments[0] not in self.__slots__:
            return "Unexpected support field", False
        if len(arguments) == 1:
            return self.describe(arguments[0], boot), False
        return self.set(arguments[0], arguments[1], boot)


def _text(value: bool | int) -> str:
    return str(value).lower()
