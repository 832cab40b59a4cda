# SPDX-License-Identifier: Apache-2.0
"""vtep-ctl's own options."""

from __future__ import annotations

from ovswitch.ovsdb.ctl import options as ctl
from ovswitch.runtime import options, program, version
from ovswitch.runtime.options import REQUIRED_ARGUMENT, Option
from ovswitch.tools.vtepctl.model import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import CommandTable

_OPTIONS = (
    Option("db", REQUIRED_ARGUMENT),
    Option("no-syslog"),
    Option("dry-run"),
    Option("oneline"),
    Option("timeout", REQUIRED_ARGUMENT, "t"),
    Option("help", short="h"),
    Option("version", short="V"),
    *options.LOGGING,
    *ctl.TABLE_OPTIONS,
    *options.SSL,
    options.PEER_CA_CERT,
)


class Settings(ctl.Settings):
    """What the options say."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(log)

    def information(self, key: str, table: CommandTable) -> str | None:
        """What --help and --version print."""
        if key == "help":
            from ovswitch.tools.vtepctl.usage import usage

            return usage(ctl.default_db())
        if key == "version":
            from ovswitch.tools.vtepctl.schema import load_schema

            text = version.version_text(program.name)
            return f"{text}\nDB Schema {load_schema()['version']}\n"
        return None


def parse(words: Sequence[str], table: CommandTable) -> tuple[Settings, list[str]]:
    """Parse the options; return what they say and the commands' words.

    Options that only print something end the program.
    """
    settings = Settings()
    return settings, ctl.parse(words, table, _OPTIONS, settings)
