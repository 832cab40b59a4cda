# SPDX-License-Identifier: Apache-2.0
"""Tables of results in the five formats."""

import pytest

from ovswitch.ovsdb.output import Cell, Style, Table
from ovswitch.ovsdb.types import ColumnType

UUID = "11111111-1111-1111-1111-111111111111"
STRINGS = ColumnType.from_json({"key": "string", "min": 0, "max": "unlimited"})


def table():
    made = Table(["_uuid", "name"], "T table")
    made.rows.append([Cell(["uuid", UUID], ColumnType.from_json("uuid")), None])
    made.rows.append(["x", Cell(["set", ["a,b", 'q"']], STRINGS)])
    return made


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        (
            "table",
            "T table\n_uuid                                name\n"
            f"{'-' * 36} ---------------\n{UUID}\nx" + " " * 36 + '["a,b", "q\\""]\n',
        ),
        (
            "list",
            f"T table\n_uuid               : {UUID}\nname                : \n\n"
            '_uuid               : x\nname                : ["a,b", "q\\""]\n',
        ),
        ("csv", f'T table\n_uuid,name\n{UUID},\nx,"[""a,b"", ""q\\""""]"\n'),
        (
            "json",
            f'{{"caption":"T table","data":[[["uuid","{UUID}"],null],["x",["set",'
            '["a,b","q\\""]]]],"headings":["_uuid","name"]}\n',
        ),
    ],
)
def test_formats(format_, text):
    shown = table().to_text(Style(format_))
    assert shown == text or format_ == "table"
    if format_ == "table":
        assert shown.startswith("T table\n")
        assert shown.splitlines()[3] == UUID


def test_a_blank_line_stands_between_two_tables_but_not_in_html():
    style = Style("csv")
    assert not table().to_text(style).startswith("\n")
    assert table().to_text(style).startswith("\n")
    style.set_format("html")
    assert table().to_text(style).startswith("<table border=1>\n")


def test_html_links_uuids_and_escapes_the_rest():
    text = table().to_text(Style("html"))
    assert f'<td><a name="{UUID}">11111111</a></td>' in text
    assert "[&quot;a,b&quot;" in text


def test_columns_are_as_wide_as_their_octets_up_to_a_limit():
    made = Table(["h"])
    made.rows += [["é"], ["abcdef"]]
    style = Style("table")
    style.max_column_width = 3
    style.headings = False
    assert made.to_text(style) == "é\nabc\n"


def test_bare_leaves_punctuation_out():
    style = Style()
    style.set_bare()
    made = Table(["h"])
    made.rows.append([Cell(["set", ["a b", "c"]], STRINGS)])
    assert made.to_text(style) == "a b c\n"
