# SPDX-License-Identifier: Apache-2.0
"""The families of messages: which module decodes a type, and which one prints it.

A family's modules, `messages/FAMILY.py` and `text/FAMILY.py`, are loaded when the first
of its messages comes by: tools that see few kinds of messages start quickly.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Generic, TypeVar

    F = TypeVar("F")
else:
    F = None

    class Generic:
        """`typing.Generic`, without loading `typing`."""

        def __class_getitem__(cls, _parameter: object) -> type:
            return cls


#: (module of messages/, module of text/, types); "" where there is none.
_FAMILIES = (
    ("core", "core", (
        "HELLO", "ERROR", "ECHO_REQUEST", "ECHO_REPLY", "SET_CONFIG",
        "GET_CONFIG_REPLY", "SET_FLOW_FORMAT", "FLOW_MOD_TABLE_ID",
        "SET_PACKET_IN_FORMAT", "SET_CONTROLLER_ID", "DESC_STATS_REPLY",
    )),
    ("core", "", (
        "BARRIER_REQUEST", "BARRIER_REPLY", "FEATURES_REQUEST", "GET_CONFIG_REQUEST",
        "GET_ASYNC_REQUEST", "TABLE_STATS_REQUEST", "DESC_STATS_REQUEST", "FLOW_AGE",
        "FLOW_MONITOR_PAUSED", "FLOW_MONITOR_RESUMED",
    )),
    ("", "core", ("CT_FLUSH_ZONE",)),
    ("role", "core", ("ROLE_REQUEST", "ROLE_REPLY", "ROLE_STATUS")),
    ("async_config", "core", ("SET_ASYNC_CONFIG", "GET_ASYNC_REPLY")),
    ("features", "port", ("FEATURES_REPLY",)),
    ("flow_mod", "flow", ("FLOW_MOD",)),
    ("flow_removed", "flow", ("FLOW_REMOVED",)),
    ("flow_stats", "flow", (
        "FLOW_STATS_REQUEST", "FLOW_STATS_REPLY", "AGGREGATE_STATS_REQUEST",
        "AGGREGATE_STATS_REPLY",
    )),
    ("flow_monitor", "flow_monitor", (
        "FLOW_MONITOR_STATS_REQUEST", "FLOW_MONITOR_STATS_REPLY", "FLOW_MONITOR_CANCEL",
    )),
    ("packet_in", "packet", ("PACKET_IN", "NXT_RESUME")),
    ("packet_out", "packet", ("PACKET_OUT",)),
    ("port", "port", (
        "PORT_STATUS", "PORT_MOD", "PORT_DESC_STATS_REQUEST", "PORT_DESC_STATS_REPLY",
    )),
    ("port_stats", "port", ("PORT_STATS_REQUEST", "PORT_STATS_REPLY")),
    ("table", "table", (
        "TABLE_MOD", "TABLE_DESC_REQUEST", "TABLE_DESC_REPLY", "TABLE_STATUS",
    )),
    ("table_features", "table", (
        "TABLE_FEATURES_STATS_REQUEST", "TABLE_FEATURES_STATS_REPLY",
        "TABLE_STATS_REPLY",
    )),
    ("queue", "queue", (
        "QUEUE_GET_CONFIG_REQUEST", "QUEUE_GET_CONFIG_REPLY", "QUEUE_STATS_REQUEST",
        "QUEUE_STATS_REPLY",
    )),
    ("meter", "meter", (
        "METER_MOD", "METER_STATS_REQUEST", "METER_CONFIG_STATS_REQUEST",
        "METER_CONFIG_STATS_REPLY", "METER_STATS_REPLY", "METER_FEATURES_STATS_REPLY",
    )),
    ("group_stats", "group_stats", (
        "GROUP_STATS_REQUEST", "GROUP_DESC_STATS_REQUEST", "GROUP_STATS_REPLY",
        "GROUP_FEATURES_STATS_REPLY",
    )),
    ("bundle", "bundle", ("BUNDLE_CONTROL", "BUNDLE_ADD_MESSAGE")),
    ("tlv_table", "tlv_table", ("NXT_TLV_TABLE_MOD", "NXT_TLV_TABLE_REPLY")),
)  # fmt: skip

_MESSAGES = {kind: family for family, _, kinds in _FAMILIES if family for kind in kinds}
_TEXT = {kind: family for _, family, kinds in _FAMILIES if family for kind in kinds}


class Functions(Generic[F]):
    """The functions of all families' modules, by type of message."""

    __slots__ = ("_attribute", "_found", "_modules", "_package")

    def __init__(
        self, package: str, attribute: str, modules: Mapping[str, str]
    ) -> None:
        self._package = package
        self._attribute = attribute  # of each module: {type: function}
        self._modules = modules
        self._found: dict[str, F] = {}

    def find(self, kind: str) -> F | None:
        """Return the function for a type of message, None if there is none."""
        function = self._found.get(kind)
        if function is None and kind in self._modules:
            name = f"{self._package}.{self._modules[kind]}"
            module = __import__(name, fromlist=[self._attribute])
            self._found.update(getattr(module, self._attribute))
            function = self._found[kind]
        return function


def decoders() -> Functions[F]:
    """Return what decodes each type."""
    return Functions("ovswitch.openflow.messages", "DECODERS", _MESSAGES)


def printers() -> Functions[F]:
    """Return what prints each type."""
    return Functions("ovswitch.openflow.text", "PRINTERS", _TEXT)
