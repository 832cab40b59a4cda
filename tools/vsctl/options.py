# SPDX-License-Identifier: Apache-2.0
"""ovs-vsctl's own options."""

from __future__ import annotations

from ovswitch.ovsdb.ctl import options as ctl
from ovswitch.runtime import options, program, version
from ovswitch.runtime.options import REQUIRED_ARGUMENT, Option
from ovswitch.tools.vsctl.model import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import CommandTable

_OPTIONS = (
    Option("db", REQUIRED_ARGUMENT),
    Option("no-syslog"),
    Option("no-wait"),
    Option("dry-run"),
    Option("oneline"),
    Option("timeout", REQUIRED_ARGUMENT, "t"),
    Option("retry"),
    Option("help", short="h"),
    Option("commands"),
    Option("options"),
    Option("leader-only"),
    Option("no-leader-only"),
    Option("shuffle-remotes"),
    Option("no-shuffle-remotes"),
    Option("version", short="V"),
    *options.LOGGING,
    *ctl.TABLE_OPTIONS,
    *options.SSL,
    options.BOOTSTRAP_CA_CERT,
    options.PEER_CA_CERT,
)


class Settings(ctl.Settings):
    """What the options say."""

    __slots__ = ("wait_for_reload",)

    def __init__(self) -> None:
        super().__init__(log)
        self.wait_for_reload = True

    def set_flag(self, key: str) -> bool:
        """Carry out an option without argument; return False if it isn't one."""
        match key:
            case "no-wait":
                self.wait_for_reload = False
            case "retry":
                self.retry = True
            case "leader-only" | "no-leader-only":
                self.leader_only = key == "leader-only"
            case "shuffle-remotes" | "no-shuffle-remotes":
                self.shuffle_remotes = key == "shuffle-remotes"
            case _:
                return super().set_flag(key)
        return True

    def information(self, key: str, table: CommandTable) -> str | None:
        """What --help and its like print."""
        match key:
            case "help":
                from ovswitch.tools.vsctl.usage import usage

                return usage(ctl.default_db())
            case "commands":
                from ovswitch.ovsdb.ctl.commands import completion

                return completion(table)
            case "options":
                return _listing()
            case "version":
                from ovswitch.tools.vsctl.schema import load_schema

                text = version.version_text(program.name)
                return f"{text}\nDB Schema {load_schema()['version']}\n"
        return None


def parse(words: Sequence[str], table: CommandTable) -> tuple[Settings, list[str]]:
    """Parse the options; return what they say and the commands' words.

    Options that only print something end the program.
    """
    settings = Settings()
    return settings, ctl.parse(words, table, _OPTIONS, settings)


def _listing() -> str:
    """What --options prints."""
    lines = []
    for option in _OPTIONS:
        lines.append(f"--{option.name}{'=ARG' if option.argument else ''}\n")
        if option.short:
            lines.append(f"-{option.short}{' ARG' if option.argument else ''}\n")
    return "".join(lines)
