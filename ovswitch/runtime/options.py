# SPDX-License-Identifier: Apache-2.0
"""Command lines as GNU getopt_long() parses them, with its error texts.

A program describes its options once, as `Option`s in the order of its `--help`; the
parser yields them with their arguments. Long options may be shortened to an
unambiguous prefix, values follow "=" or, where required, stand in the next word;
short options may be bundled. Options and other words may be mixed unless the program
asks to stop at the first other word ("+" in getopt's terms); "--" ends the options.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NO_ARGUMENT = 0
REQUIRED_ARGUMENT = 1
OPTIONAL_ARGUMENT = 2


class OptionError(Exception):
    """The command line is wrong; the text is getopt's, without the program's name."""


class Option:
    """One option: its long name, whether it takes an argument, its short letter.

    `key` is what the parser yields: the long name unless given otherwise. An option
    without a long name has `name` "".
    """

    __slots__ = ("argument", "key", "name", "short")

    def __init__(
        self,
        name: str,
        argument: int = NO_ARGUMENT,
        short: str = "",
        key: str | None = None,
    ) -> None:
        self.name = name
        self.argument = argument
        self.short = short
        self.key = key if key is not None else name or short


class Parser:
    """A program's options; `iterate()` goes through one command line.

    `stop_early` ends the options at the first word that isn't one, as getopt's "+"
    does; otherwise such words are collected and options may follow them. Afterwards
    `rest` has the words that are no options.
    """

    __slots__ = ("_long", "_short", "options", "program", "rest", "stop_early")

    def __init__(
        self,
        program_name: str,
        options: Iterable[Option],
        *,
        stop_early: bool = False,
    ) -> None:
        self.program = program_name
        self.options = list(options)
        self.stop_early = stop_early
        self.rest: list[str] = []
        self._long = {option.name: option for option in self.options if option.name}
        self._short = {option.short: option for option in self.options if option.short}

    def iterate(self, words: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Yield (key, argument) pairs as they come.

        Raises: OptionError: after the options before it were yielded: a "--help"
        earlier in the line is served.
        """
        self.rest = []
        queue = iter(words)
        for word in queue:
            if word == "--":
                self.rest.extend(queue)
            elif word.startswith("--"):
                yield self._parse_long(word[2:], queue)
            elif word.startswith("-") and len(word) > 1:
                yield from self._parse_short(word[1:], queue)
            else:
                self.rest.append(word)
                if self.stop_early:
                    self.rest.extend(queue)

    def iterate_or_die(self, words: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Do as `iterate()`; print an error as getopt does and exit with 1."""
        try:
            yield from self.iterate(words)
        except OptionError as error:
            import sys

            sys.stderr.write(f"{self.program}: {error}\n")
            raise SystemExit(1) from None

    def parse(
        self, words: Iterable[str]
    ) -> tuple[list[tuple[str, str | None]], list[str]]:
        """Return all (key, argument) pairs, and the words that are no options.

        Raises: OptionError.
        """
        return list(self.iterate(words)), self.rest

    def parse_or_die(
        self, words: Iterable[str]
    ) -> tuple[list[tuple[str, str | None]], list[str]]:
        """Do as `parse()`; print an error as getopt does and exit with 1."""
        return list(self.iterate_or_die(words)), self.rest

    def _find_long(self, name: str, spelled: str) -> Option:
        option = self._long.get(name)
        if option is not None:
            return option
        candidates = [
            option for known, option in self._long.items() if known.startswith(name)
        ]
        if not candidates:
            raise OptionError(f"unrecognized option '--{spelled}'")
        first = candidates[0]
        if any(
            other.key != first.key or other.argument != first.argument
            for other in candidates[1:]
        ):
            choices = "".join(f" '--{option.name}'" for option in candidates)
            raise OptionError(
                f"option '--{spelled}' is ambiguous; possibilities:{choices}"
            )
        return first

    def _parse_long(self, text: str, queue: Iterator[str]) -> tuple[str, str | None]:
        name, equals, value = text.partition("=")
        option = self._find_long(name, text)
        if equals:
            if option.argument == NO_ARGUMENT:
                raise OptionError(f"option '--{option.name}' doesn't allow an argument")
            return option.key, value
        if option.argument == REQUIRED_ARGUMENT:
            argument = next(queue, None)
            if argument is None:
                raise OptionError(f"option '--{option.name}' requires an argument")
            return option.key, argument
        return option.key, None

    def _parse_short(
        self, letters: str, queue: Iterator[str]
    ) -> Iterator[tuple[str, str | None]]:
        for index, letter in enumerate(letters):
            option = self._short.get(letter)
            if option is None:
                raise OptionError(f"invalid option -- '{letter}'")
            if option.argument == NO_ARGUMENT:
                yield option.key, None
                continue
            attached: str | None = letters[index + 1 :] or None
            if attached is None and option.argument == REQUIRED_ARGUMENT:
                attached = next(queue, None)
                if attached is None:
                    raise OptionError(f"option requires an argument -- '{letter}'")
            yield option.key, attached
            return


LOGGING = (
    Option("verbose", OPTIONAL_ARGUMENT, "v"),
    Option("log-file", OPTIONAL_ARGUMENT),
    Option("syslog-method", REQUIRED_ARGUMENT),
    Option("syslog-target", REQUIRED_ARGUMENT),
)
DAEMON = (
    Option("detach"),
    Option("no-self-confinement"),
    Option("no-chdir"),
    Option("pidfile", OPTIONAL_ARGUMENT),
    Option("overwrite-pidfile"),
    Option("monitor"),
    Option("user", REQUIRED_ARGUMENT),
)
SSL = (
    Option("private-key", REQUIRED_ARGUMENT, "p"),
    Option("certificate", REQUIRED_ARGUMENT, "c"),
    Option("ca-cert", REQUIRED_ARGUMENT, "C"),
    Option("ssl-protocols", REQUIRED_ARGUMENT),
    Option("ssl-ciphers", REQUIRED_ARGUMENT),
)
BOOTSTRAP_CA_CERT = Option("bootstrap-ca-cert", REQUIRED_ARGUMENT)
PEER_CA_CERT = Option("peer-ca-cert", REQUIRED_ARGUMENT)

_LOGGING_KEYS = frozenset(option.key for option in LOGGING)
_SSL_KEYS = frozenset(option.key for option in (*SSL, BOOTSTRAP_CA_CERT, PEER_CA_CERT))


def handle_logging(key: str, argument: str | None) -> bool:
    """Carry out a logging option; return False if `key` isn't one."""
    if key not in _LOGGING_KEYS:
        return False
    from ovswitch.runtime import vlog_control

    vlog_control.handle_option(key, argument)
    return True


def handle_ssl(key: str, argument: str | None) -> bool:
    """Carry out an option on keys and certificates; False if `key` isn't one."""
    if key not in _SSL_KEYS:
        return False
    from ovswitch.runtime import ssl_config

    ssl_config.settings.set_option(key, argument or "")
    return True


def listing(options: Iterable[Option]) -> str:
    """Return what `--option` prints: every option, for shells' completion."""
    lines = []
    for option in options:
        required = option.argument == REQUIRED_ARGUMENT
        shown = "" if not option.argument else "ARG" if required else "[ARG]"
        if option.name:
            lines.append(f"--{option.name}{'=' if shown else ''}{shown}\n")
        if option.short:
            lines.append(f"-{option.short} {shown}\n")
    return "".join(lines)
