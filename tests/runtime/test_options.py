# SPDX-License-Identifier: Apache-2.0
"""Command lines as getopt_long() takes them apart."""

import getopt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.runtime import options
from ovswitch.runtime.options import Option, OptionError, Parser

OPTIONS = [
    Option("verbose", options.OPTIONAL_ARGUMENT, "v"),
    Option("version", short="V"),
    Option("timeout", options.REQUIRED_ARGUMENT, "t"),
    Option("", short="x", key="extra"),
]


def parse(*words, stop_early=False):
    return Parser("prog", OPTIONS, stop_early=stop_early).parse(words)


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        (["--timeout=5", "a"], [("timeout", "5")], ["a"]),
        (["--timeout", "5"], [("timeout", "5")], []),
        (["--ti=", "a"], [("timeout", "")], ["a"]),
        (["-t5", "-xV"], [("timeout", "5"), ("extra", None), ("version", None)], []),
        (["-xt", "5"], [("extra", None), ("timeout", "5")], []),
        (["-v", "dbg"], [("verbose", None)], ["dbg"]),
        (["-vdbg", "--verbose=x"], [("verbose", "dbg"), ("verbose", "x")], []),
        (["a", "-x", "--", "-x", "--"], [("extra", None)], ["a", "-x", "--"]),
        (["-", "-x"], [("extra", None)], ["-"]),
    ],
)
def test_command_lines_come_apart(words, found, rest):
    assert parse(*words) == (found, rest)


def test_options_can_end_at_the_first_other_word():
    assert parse("-x", "a", "-x", "--", "b", stop_early=True) == (
        [("extra", None)],
        ["a", "-x", "--", "b"],
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--nosuch=1"], "unrecognized option '--nosuch=1'"),
        (
            ["--ver"],
            "option '--ver' is ambiguous; possibilities: '--verbose' '--version'",
        ),
        (["--version=1"], "option '--version' doesn't allow an argument"),
        (["--timeout"], "option '--timeout' requires an argument"),
        (["-q"], "invalid option -- 'q'"),
        (["-t"], "option requires an argument -- 't'"),
    ],
)
def test_errors_read_as_getopts(words, text):
    with pytest.raises(OptionError) as caught:
        parse(*words)
    assert str(caught.value) == text


def test_a_listing_names_every_option():
    assert options.listing(OPTIONS) == (
        "--verbose=[ARG]\n-v [ARG]\n--version\n-V \n--timeout=ARG\n-t ARG\n-x \n"
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("-=vtxVa ", max_size=4) | st.just("--timeout"), max_size=5))
def test_agrees_with_another_getopt(words):
    """Python's getopt knows no optional arguments: leave those out."""
    known = OPTIONS[1:]
    try:
        expected = getopt.gnu_getopt(words, "Vt:x", ["version", "timeout="])
    except getopt.GetoptError:
        with pytest.raises(OptionError):
            Parser("prog", known).parse(words)
        return
    found, rest = Parser("prog", known).parse(words)
    assert (len(found), rest) == (len(expected[0]), expected[1])
