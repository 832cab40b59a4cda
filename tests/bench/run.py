#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure sets of Open vSwitch programs side by side.

Runs go A B A B ...; ratios are taken within each pair, later set / first set.
docs/testing.md says how to read the table.
"""

import argparse
import fnmatch
import os
import pathlib
import shutil
import signal
import sys
import time

from ovsbench import cases, table  # noqa: F401 - importing cases registers them
from ovsbench.case import CASES, Failure, Options
from ovsbench.place import Place, remove_leftovers
from ovsbench.programs import DEFAULT_SETS, SCHEMA, Programs

PAUSE = 0.3  # the kernel takes namespaces down in the background


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--list", action="store_true", help="list the cases")
    add("--only", nargs="+", default=["*"], metavar="NAME",
        help="cases to run; shell patterns allowed")  # fmt: skip
    add("--set", dest="sets", action="append", type=Programs.parse,
        metavar="NAME=DIR[:DIR...]", help="programs to measure, the baseline first "
        f"(default: {' '.join(DEFAULT_SETS)})")  # fmt: skip
    add("--runs", type=int, default=3, help="runs of each case and set (3)")
    add("--seconds", type=float, default=5, help="length of a timed measurement (5)")
    add("--scale", type=float, default=1, help="multiplies all counts (1)")
    add("--timeout", type=float, default=300, help="of any one command, seconds (300)")
    add("--schema", default=str(SCHEMA), help="the vswitch.ovsschema for all sets")
    add("--json", type=pathlib.Path, metavar="FILE", help="write all values there too")
    add("--keep", action="store_true", help="leave directories with logs")
    arguments = parser.parse_args()
    arguments.sets = arguments.sets or [Programs.parse(text) for text in DEFAULT_SETS]
    for pattern in arguments.only:
        if not fnmatch.filter(CASES, pattern):
            parser.error(f"no case is called {pattern}")
    if len({programs.name for programs in arguments.sets}) < len(arguments.sets):
        parser.error("two sets have the same name")
    if not arguments.list and os.geteuid():
        parser.error("network namespaces need root")
    return arguments


def chosen(patterns):
    """The cases that the patterns name and whose programs are here."""
    for case in CASES.values():
        if any(fnmatch.fnmatch(case.name, pattern) for pattern in patterns):
            missing = [program for program in case.needs if not shutil.which(program)]
            if missing:
                print(f"{case.name:19} skipped: needs {', '.join(missing)}")
            else:
                yield case


def measure(case, programs, options, results):
    try:
        with Place(programs, options) as place:
            readings = list(case.measure(place, options))
            place.check()
    except Failure as failure:
        results.add_error(case.name, programs.name, failure)
    except Exception as error:
        # Odd output of one set must not end the run of the others.
        results.add_error(case.name, programs.name, repr(error))
    else:
        results.add(case.name, programs.name, readings)


def main():
    arguments = parse_arguments()
    if arguments.list:
        for case in CASES.values():
            print(f"{case.name:19} {case.summary}")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up then, too
    remove_leftovers()
    options = Options(arguments.seconds, arguments.scale, arguments.timeout,
                      arguments.schema, arguments.keep)  # fmt: skip
    results = table.Results([programs.name for programs in arguments.sets])
    print(f"runs {arguments.runs}, seconds {options.seconds:g}, scale "
          f"{options.scale:g}, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(table.header(results.sets), flush=True)
    for case in chosen(arguments.only):
        for _ in range(arguments.runs):
            for programs in arguments.sets:
                measure(case, programs, options, results)
                time.sleep(PAUSE)
        print(*table.rows(results, case.name), sep="\n", flush=True)
    if arguments.json:
        arguments.json.write_text(table.as_json(results, options, arguments.sets))
    return 1 if results.errors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; all that was started has been ended")
