#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ovsdb-idlc: turns a database's schema into typed C accessors.

The commands are those of Open vSwitch's ovsdb-idlc: ``annotate`` runs an annotation
file on a schema, ``c-idl-header`` and ``c-idl-source`` print a C header and its
source. The two accept a plain schema too, given ``--prefix``. It needs Python alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import header
import source
from schema import Schema, SchemaError


def annotate(arguments: argparse.Namespace) -> str:
    """Return the schema as the annotations, which are Python, have changed it."""
    schema = json.loads(arguments.schema.read_text())
    code = compile(
        arguments.annotations.read_text(), str(arguments.annotations), "exec"
    )
    exec(code, {"s": schema})
    return json.dumps(schema) + "\n"


def _load(arguments: argparse.Namespace) -> Schema:
    document = json.loads(arguments.schema.read_text())
    if arguments.prefix:
        document["idlPrefix"] = arguments.prefix
    if arguments.include:
        document["idlHeader"] = f'"{arguments.include}"'
    return Schema(document)


def c_idl_header(arguments: argparse.Namespace) -> str:
    """Return the header."""
    return header.generate(_load(arguments))


def c_idl_source(arguments: argparse.Namespace) -> str:
    """Return the source that goes with the header."""
    return source.generate(_load(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ovsdb-idlc", description="Make C accessors of an OVSDB schema."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(function=function)
        command.add_argument("schema", type=Path, metavar="SCHEMA")
        command.add_argument("-o", "--output", type=Path, help="instead of stdout")
        return command

    command = add("annotate", annotate, "print SCHEMA as ANNOTATIONS change it")
    command.add_argument("annotations", type=Path, metavar="ANNOTATIONS")
    for name, function, text in (
        ("c-idl-header", c_idl_header, "print the C header for SCHEMA"),
        ("c-idl-source", c_idl_source, "print the C source for SCHEMA"),
    ):
        command = add(name, function, text)
        command.add_argument("--prefix", help='begins all names, e.g. "ovsrec_"')
        command.add_argument(
            "--include", metavar="FILE", help="the header's name, for the source"
        )
    return parser


def main(argv: list[str]) -> int:
    """Run the program."""
    arguments = _parser().parse_args(argv)
    try:
        text = arguments.function(arguments)
        if arguments.output:
            arguments.output.write_text(text)
        else:
            sys.stdout.write(text)
    except (OSError, ValueError, SchemaError) as error:
        sys.stderr.write(f"ovsdb-idlc: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
