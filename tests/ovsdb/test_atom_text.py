# SPDX-License-Identifier: Apache-2.0
"""Quoted strings that people type."""

import pytest

from ovswitch.ovsdb import atom
from ovswitch.ovsdb.error import ParseError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r'"a\q"', r"bad escape \q"),
        ('"a"b"', 'quoted string may not include unescaped "'),
        (r'"\ud800"', "malformed escaped surrogate pair"),
        (r'"\u00"', "quoted string ends within \\u escape"),
        (r'"\u0000"', "null bytes not supported in quoted strings"),
    ],
)
def test_what_is_wrong_with_a_quoted_string_is_an_error_of_the_users(text, message):
    with pytest.raises(ParseError) as caught:
        atom._parse_string(text)
    assert str(caught.value) == f"{text}: {message}"
