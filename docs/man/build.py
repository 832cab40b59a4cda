# SPDX-License-Identifier: Apache-2.0
"""Build the manual pages: reStructuredText in, troff out.

A page's source is NAME.SECTION.rst beside this file; what several pages share stands in
include/. A page whose text belongs to a table of the program is made from that table by
a module here (`conf_db`), so that no fact is written twice.

    python docs/man/build.py FOLDER     FOLDER/man1/ovsdb-tool.1 ...

Anything that docutils warns of is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docutils.core import publish_string
from docutils.writers import manpage

HERE = Path(__file__).parent
VERSION = "3.1.0"
GROUP = "Open vSwitch"

_SETTINGS = {
    "halt_level": 2,  # warnings
    "report_level": 2,
    "input_encoding": "utf-8",
    "output_encoding": "unicode",
    "raw_enabled": False,
    "_disable_config": True,
}
_HEADER = """\
{title_rule}
{title}
{title_rule}

{subtitle_rule}
{subtitle}
{subtitle_rule}

:Manual section: {section}
:Manual group: {group}
:Version: {version}

"""


def sources() -> list[Path]:
    """Return the pages' sources."""
    return sorted(HERE.glob("*.[1-8].rst"))


def page_name(source: Path) -> tuple[str, str]:
    """Return name and section: "ovs-vsctl.8.rst" is ("ovs-vsctl", "8")."""
    name, section = source.name.removesuffix(".rst").rsplit(".", 1)
    return name, section


def render(source: Path) -> str:
    """Return a page as troff.

    The first line of a source is the page's one-line description; title, section and
    version come from the file's name and from here.
    Raises: docutils.utils.SystemMessage: there is something to warn of.
    """
    name, section = page_name(source)
    subtitle, _, body = source.read_text().partition("\n")
    header = _HEADER.format(
        title=name,
        title_rule="#" * len(name),
        subtitle=subtitle,
        subtitle_rule="*" * len(subtitle),
        section=section,
        group=GROUP,
        version=VERSION,
    )
    return publish_string(
        header + body,
        source_path=str(source),
        writer=manpage.Writer(),
        settings_overrides=_SETTINGS,
    )


def build(folder: Path) -> list[Path]:
    """Write all pages below `folder`; return their paths. Those up to date stay."""
    inputs = [Path(__file__), *HERE.glob("include/*.rst")]
    newest = max(path.stat().st_mtime for path in inputs)
    pages = []
    for source in sources():
        name, section = page_name(source)
        page = folder / f"man{section}" / f"{name}.{section}"
        pages.append(page)
        written = page.stat().st_mtime if page.exists() else 0
        if written <= max(newest, source.stat().st_mtime):
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(render(source))
    return pages


if __name__ == "__main__":
    for path in build(Path(sys.argv[1])):
        print(path)
