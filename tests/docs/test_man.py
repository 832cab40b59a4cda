# SPDX-License-Identifier: Apache-2.0
"""Manual pages: they build without a warning and say what the programs have."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.programs import Ours, RunDir

ROOT = Path(__file__).parents[2]
BUILD = runpy.run_path(str(ROOT / "docs" / "man" / "build.py"))
PAGES = {BUILD["page_name"](source): source for source in BUILD["sources"]()}
PROGRAMS = {
    name: source for (name, section), source in PAGES.items() if section in "18"
}

# Pages that others bring.
ELSEWHERE = {"openssl-ciphers(1)", "strftime(3)"}
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_DEFINED = re.compile(r"^``-[^\n]*\n {4}\S", re.MULTILINE)
_INCLUDE = re.compile(r"^\.\. include:: (\S+)$", re.MULTILINE)
_LINK = re.compile(r"\*\*([\w.-]+)\*\*\\ \((\d)\)")


def text_of(source):
    """Return a page's source with what it includes."""
    return _INCLUDE.sub(
        lambda match: text_of(source.parent / match[1]), source.read_text()
    )


def run(program, *words):
    with RunDir() as run_dir:
        result = run_dir.run([Ours.path(program), *words])
    return result.out + result.err


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return BUILD["build"](tmp_path_factory.mktemp("man"))


def test_each_program_has_a_page():
    assert programs() - PROGRAMS.keys() == set()


def programs():
    """Return the programs that setup.py installs."""
    text = (ROOT / "setup.py").read_text()
    table = text[text.index("PROGRAMS = {") :]
    names = re.findall(r'"([a-z-]+)"', table[: table.index("\n}\n")])
    return set(names) - {"daemons", "tools"}


def test_pages_build_and_groff_has_nothing_to_say(built):
    assert len(built) == len(PAGES)
    groff = shutil.which("groff")
    for page in built:
        assert page.read_text().count("\n.SH ") >= 3, page
        if groff:
            words = [groff, "-man", "-Tutf8", "-ww", "-z", page]
            said = subprocess.run(words, capture_output=True, text=True, check=True)
            assert said.stderr == "", page


@pytest.mark.parametrize(("name", "source"), PROGRAMS.items(), ids=PROGRAMS)
def test_a_page_has_the_programs_options_and_no_others(name, source):
    printed = run(name, "--help")
    if name not in {"ovs-vswitchd", "ovsdb-server", "vtep-ctl"}:
        printed += run(name, "--options" if name == "ovs-vsctl" else "--option")
    offered = set(_OPTION.findall(printed)) - {"--force"}  # which no command has
    text = text_of(source)
    assert offered - set(_OPTION.findall(text)) == set()
    for option in defined_options(text) - offered:
        # An option that wants an argument takes the first "--help" for it.
        assert "unrecognized option" not in run(name, option, "--help", "--help")


def defined_options(text):
    return {
        option
        for match in _DEFINED.finditer(text)
        for option in _OPTION.findall(match[0].partition("\n")[0])
    }


@pytest.mark.parametrize(
    "name", ["ovsdb-tool", "ovsdb-client", "ovs-ofctl", "ovs-dpctl"]
)
def test_a_page_has_the_programs_commands(name):
    printed = run(name, "--help" if name == "ovsdb-client" else "list-commands")
    commands = set(
        re.findall(r"^  (?:\[.*?\] )?([a-z][a-z/-]+)\b", printed, re.MULTILINE)
    )
    assert len(commands) > 10
    text = text_of(PROGRAMS[name])
    assert {command for command in commands if f"``{command}" not in text} == set()


def test_the_page_of_vsctl_has_its_commands():
    printed = run("ovs-vsctl", "--commands")
    commands = {line.split(",")[1] for line in printed.splitlines()}
    text = text_of(PROGRAMS["ovs-vsctl"])
    assert {command for command in commands if f"``{command}" not in text} == set()


def test_links_lead_somewhere():
    known = {f"{name}({section})" for name, section in PAGES} | ELSEWHERE
    for source in PAGES.values():
        links = {
            f"{name}({section})" for name, section in _LINK.findall(text_of(source))
        }
        assert links - known == set(), source.name
