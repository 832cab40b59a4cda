# SPDX-License-Identifier: Apache-2.0
"""ovs-vswitchd's unixctl commands: bridges' own, the pipeline's and dpctl's."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from ovswitch.datapath import dpctl
from ovswitch.datapath.dpctl.session import Environment, vport_stats
from ovswitch.netdev import provider
from ovswitch.netdev.linux import LinuxNetdev
from ovswitch.netdev.provider import NetdevError
from ovswitch.ofproto import commands as ofproto_commands
from ovswitch.runtime import vlog
from ovswitch.runtime.unixctl import CommandError, commands

if TYPE_CHECKING:
    from ovswitch.bridge.bridge import Bridge
    from ovswitch.bridge.switch import Switch
    from ovswitch.datapath.dpif import Port
    from ovswitch.ofproto.backer import Backer
    from ovswitch.ofproto.commands import Function

_dpctl_log = vlog.Module("dpif")


def register(switch: Switch) -> None:
    """Register the commands."""
    _register_bridge_commands(switch)
    _register_switch_commands(switch)
    _register_dpctl(switch)


def _register_bridge_commands(switch: Switch) -> None:
    def find(name: str) -> Bridge:
        bridge = switch.bridges.get(name)
        if bridge is None:
            raise CommandError("Unknown bridge")
        return bridge

    def reconnect(args: list[str]) -> None:
        bridges = [find(args[0])] if args else list(switch.bridges.values())
        for bridge in bridges:
            bridge.controllers.reconnect()

    commands.register("bridge/reconnect", "[bridge]", 0, 1, reconnect)


def _register_switch_commands(switch: Switch) -> None:
    def backers() -> dict[str, Backer]:
        return {
            type_: datapath.backer for type_, datapath in switch.datapaths.open.items()
        }

    for name, usage, min_args, max_args, function in ofproto_commands.table(backers):

        async def run(args: list[str], function: Function = function) -> str:
            await switch.engine.wait_for_commits()
            try:
                return function(args)
            finally:
                switch.engine.kick()

        commands.register(name, usage, min_args, max_args, run)


def _register_dpctl(switch: Switch) -> None:
    environment = Environment(switch.datapaths.transports)
    missing = {"system"} - switch.datapaths.transports.keys()
    if missing & set(switch.datapaths.types()):
        environment.missing = {"system": errno.ENOENT}  # there is no kernel module
    environment.warn = _dpctl_log.warn
    environment.port_stats = _port_stats
    environment.open_device = _open_device
    environment.bring_up = _bring_up

    def runner(command: dpctl.Command) -> Callable[[list[str]], str]:
        def run(args: list[str]) -> str:
            succeeded, text = dpctl.run_unixctl(environment, command, args)
            if command.name == "add-if":
                for datapath in switch.datapaths.open.values():
                    datapath.remove_foreign_ports()
            if not succeeded:
                raise CommandError(text)
            return text

        return run

    for command in dpctl.COMMANDS:
        if command.name == "help":
            continue  # that is for ovs-dpctl's users
        commands.register(
            f"dpctl/{command.name}",
            command.usage,
            command.min_args,
            None,  # options count as arguments here: the command itself checks
            runner(command),
        )


def _port_stats(port: Port) -> dict[str, int]:
    device = provider.from_name(port.name)
    return device.get_stats() if device else vport_stats(port)


def _open_device(name: str, type_: str) -> None:
    try:
        provider.close_netdev(provider.open_netdev(name, type_))
    except NetdevError as error:
        raise OSError(error.errno, str(error)) from None


def _bring_up(name: str) -> None:
    try:
        LinuxNetdev(name).set_up(True)
    except NetdevError as error:
        _dpctl_log.dbg("%s: %s", name, error)
