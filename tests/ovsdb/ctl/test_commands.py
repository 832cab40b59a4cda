# SPDX-License-Identifier: Apache-2.0
import pytest

from ovswitch.ovsdb.ctl.commands import (
    UNLIMITED,
    CommandTable,
    CtlError,
    Syntax,
    completion,
)

TABLE = CommandTable(
    [
        Syntax("add", 1, 2, "NEW [OLD]", None, None, "--may-exist", writes=True),
        Syntax("get", 1, UNLIMITED, "X [K[:V]]...", None, None, "--id=,--if-exists"),
        Syntax("init", 0, 0, "", None, None),
    ]
)


def parse(line, **options):
    given = {f"--{key}": value for key, value in options.items()}
    return TABLE.parse(line.split(), given)


def test_chain_is_split_at_double_dashes():
    commands = parse("add a -- -- --id=@x get b c --")
    assert [list(command.words) for command in commands] == [
        ["add", "a"],
        ["get", "b", "c"],
    ]
    assert commands[1].options == {"--id": "@x"}


def test_first_command_gets_the_options_parsed_before():
    first, second = parse("get a -- init", id="@x")
    assert first.options == {"--id": "@x"}
    assert second.options == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "missing command name (use --help for help)"),
        ("-- --", "missing command name (use --help for help)"),
        ("-- --id=x", "missing command name (use --help for help)"),
        ("bogus", "unknown command 'bogus'; use --help for help"),
        ("add", "'add' command requires at least 1 arguments"),
        ("init x", "'init' command takes at most 0 arguments"),
        (
            "init --x",
            "'init' command takes at most 0 arguments (note that options must "
            'precede command names and follow a "--" argument)',
        ),
        ("-- --x add a", "'add' command has no '--x' option"),
        ("-- --may add a", "'add' command has no '--may' option"),
        ("-- --id get a", "missing argument to '--id' option on 'get' command"),
        (
            "-- --may-exist=1 add a",
            "'--may-exist' option on 'add' does not accept an argument",
        ),
        (
            "-- --may-exist --may-exist add a",
            "'--may-exist' option specified multiple times",
        ),
    ],
)
def test_wrong_command_lines(line, message):
    with pytest.raises(CtlError) as error:
        parse(line)
    assert str(error.value) == message


def test_options_without_a_command():
    with pytest.raises(CtlError):
        parse("-- init", id="x")


def test_completion_marks_arguments():
    lines = sorted(completion(TABLE).splitlines())
    assert lines == [
        ",init,",
        "[--id=] [--if-exists] ,get,!X *K?:V",
        "[--may-exist] ,add,!NEW ?OLD",
    ]
