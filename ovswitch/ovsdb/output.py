# SPDX-License-Identifier: Apache-2.0
"""Tables of results as ovsdb-client and ovs-vsctl print them: five formats.

A `Table` has a caption, headings and rows of cells; a cell is finished text, a `Cell`
of JSON with its type, or None. A `Style` is what the user chose; it also remembers
whether a table was printed before, since a blank line goes between two.

Source: lib/table.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.error import OvsdbError, ParseError
from ovswitch.runtime import json as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.ovsdb.types import ColumnType

    CellContent = "Cell | str | None"

FORMATS = ("table", "list", "html", "csv", "json")
DATA_FORMATS = ("string", "bare", "json")

_HTML_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


class Style:
    """How to print: `--format --data --no-headings --pretty --max-column-width`."""

    __slots__ = (
        "data",
        "format",
        "headings",
        "is_first",
        "max_column_width",
        "pretty",
    )

    def __init__(self, format_: str = "table") -> None:
        self.format = format_
        self.data = "string"
        self.headings = True
        self.pretty = False
        self.max_column_width = 0
        self.is_first = True

    def set_format(self, name: str) -> None:
        """Take the argument of `--format`. Raises: ParseError."""
        if name not in FORMATS:
            raise ParseError(f'unknown output format "{name}"')
        self.format = name

    def set_data(self, name: str) -> None:
        """Take the argument of `--data`. Raises: ParseError."""
        if name not in DATA_FORMATS:
            raise ParseError(f'unknown data format "{name}"')
        self.data = name

    def set_bare(self) -> None:
        """Take `--bare`."""
        self.format = "list"
        self.data = "bare"
        self.headings = False


class Cell:
    """A datum to print: its JSON, and its type unless it's to appear as JSON."""

    __slots__ = ("json", "type")

    def __init__(self, json: object, type_: ColumnType | None = None) -> None:
        self.json = json
        self.type = type_

    def to_text(self, style: Style) -> str:
        """Return what the cell shows."""
        if self.type is not None and style.data != "json":
            try:
                value = self.type.from_json_value(self.json, None)
            except OvsdbError:
                pass
            else:
                if style.data == "string":
                    return self.type.to_string(value)
                return self.type.to_bare(value)
        return _json.to_string(self.json, sort=True)


class Table:
    """Rows of cells under headings."""

    __slots__ = ("caption", "headings", "rows", "timestamp")

    def __init__(self, headings: list[str], caption: str | None = None) -> None:
        self.headings = headings
        self.caption = caption
        self.timestamp: str | None = None
        self.rows: list[list[Cell | str | None]] = []

    def to_text(self, style: Style) -> str:
        """Return the table in the chosen format, with its final newline."""
        if style.format == "json":
            return self._to_json(style)
        rows = [[_cell_text(cell, style) for cell in row] for row in self.rows]
        if style.format == "html":
            return self._preamble() + _to_html(self, rows, style)
        text = "" if style.is_first else "\n"
        style.is_first = False
        text += self._preamble()
        if self.caption is not None:
            text += f"{self.caption}\n"
        if style.format == "table":
            return text + _to_table(self.headings, rows, style)
        if style.format == "list":
            return text + _to_list(self.headings, rows, style)
        return text + _to_csv(self.headings, rows, style)

    def _preamble(self) -> str:
        return "" if self.timestamp is None else f"{self.timestamp}\n"

    def _to_json(self, style: Style) -> str:
        json: dict[str, object] = {}
        if self.caption is not None:
            json["caption"] = self.caption
        if self.timestamp is not None:
            json["time"] = self.timestamp
        json["headings"] = self.headings
        json["data"] = [
            [cell.json if isinstance(cell, Cell) else cell for cell in row]
            for row in self.rows
        ]
        return _json.to_string(json, sort=True, pretty=style.pretty) + "\n"


def _cell_text(cell: Cell | str | None, style: Style) -> str:
    if isinstance(cell, Cell):
        return cell.to_text(style)
    return cell or ""


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(_octets(text))


def _fit(text: str, width: int) -> str:
    """Cut or fill `text` to `width` octets, as C's "%-*.*s" does."""
    if text.isascii():
        return text[:width].ljust(width)
    return _octets(text)[:width].ljust(width).decode("utf-8", "surrogateescape")


def _to_table(headings: list[str], rows: list[list[str]], style: Style) -> str:
    widths = []
    for index, heading in enumerate(headings):
        width = max((_size(row[index]) for row in rows), default=0)
        if style.max_column_width > 0:
            width = min(width, style.max_column_width)
        widths.append(max(width, _size(heading)) if style.headings else width)
    lines = list(rows)
    if style.headings:
        lines[:0] = [headings, ["-" * width for width in widths]]
    return "".join(
        " ".join(map(_fit, line, widths)).rstrip(" ") + "\n" for line in lines
    )


def _to_list(headings: list[str], rows: list[list[str]], style: Style) -> str:
    records = []
    for row in rows:
        lines = [
            f"{heading:<20}: {text}\n" if style.headings else f"{text}\n"
            for heading, text in zip(headings, row, strict=True)
        ]
        records.append("".join(lines))
    return "\n".join(records)


def _to_csv(headings: list[str], rows: list[list[str]], style: Style) -> str:
    lines = [headings, *rows] if style.headings else rows
    return "".join(",".join(map(_csv_cell, line)) + "\n" for line in lines)


def _csv_cell(text: str) -> str:
    if "\n" in text or '"' in text or "," in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def _to_html(table: Table, rows: list[list[str]], style: Style) -> str:
    parts = ["<table border=1>\n"]
    if table.caption is not None:
        parts.append(_html_cell("caption", table.caption))
    if style.headings:
        cells = "".join(_html_cell("th", heading) for heading in table.headings)
        parts.append(f"  <tr>\n{cells}  </tr>\n")
    for row in rows:
        cells = "".join(
            _html_anchor(text) if heading == "_uuid" else _html_cell("td", text)
            for heading, text in zip(table.headings, row, strict=True)
        )
        parts.append(f"  <tr>\n{cells}  </tr>\n")
    parts.append("</table>\n")
    return "".join(parts)


def _html_anchor(text: str) -> str:
    return f'    <td><a name="{_escape(text)}">{_escape(text[:8])}</a></td>\n'


def _html_cell(element: str, text: str) -> str:
    """Return a cell in which each UUID is a link to its row."""
    parts = []
    index = 0
    while index < len(text):
        word = text[index : index + uuids.LENGTH]
        if uuids.is_valid(word):
            parts.append(f'<a href="#{word}">{word[:8]}</a>')
            index += uuids.LENGTH
        else:
            parts.append(_escape(text[index]))
            index += 1
    return f"    <{element}>{''.join(parts)}</{element}>\n"


def _escape(text: str) -> str:
    return "".join(_HTML_ESCAPES.get(character, character) for character in text)
