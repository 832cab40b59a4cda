# SPDX-License-Identifier: Apache-2.0
"""What was read, run by run, and how it is shown.

A ratio is taken within each pair of runs that stood beside each other in time, so
slow drifts of the machine cancel out. The ratio of the best runs stands behind it in
parentheses: noise only ever makes things slower.
"""

import json
import os
import platform
import statistics
import sys


class Results:
    """Readings by case and set; a failed run is None and has its error kept."""

    def __init__(self, sets):
        self.sets = sets
        self.runs = {}  # case name -> set name -> [readings by name, or None]
        self.errors = []

    def add(self, case, name, readings):
        by_set = self.runs.setdefault(case, {n: [] for n in self.sets})
        by_set[name].append({r.name: r for r in readings})

    def add_error(self, case, name, error):
        self.runs.setdefault(case, {n: [] for n in self.sets})[name].append(None)
        self.errors.append({"case": case, "set": name, "error": str(error)})
        print(f"{case}, set {name}: {error}", file=sys.stderr, flush=True)

    def figures(self, case):
        """The figures of a case, in their order."""
        every = (run for runs in self.runs[case].values() for run in runs if run)
        return [Figure(self, case, reading) for reading in next(every, {}).values()]


class Figure:
    """One reading's name, over all runs of a case."""

    def __init__(self, results, case, reading):
        self.case = case
        self.reading = reading
        self.first = results.sets[0]
        self._runs = results.runs[case]

    def values(self, name):
        """A value a run, None where it failed."""
        found = [run and run.get(self.reading.name) for run in self._runs[name]]
        return [reading and reading.value for reading in found]

    def ratios(self, name):
        """This set / the first set, of the pairs in which both are known."""
        pairs = zip(self.values(name), self.values(self.first), strict=False)
        return [ours / theirs for ours, theirs in pairs if ours is not None and theirs]

    def best_ratio(self, name):
        ours, theirs = (
            self.reading.best(_known(self.values(n)), default=None)
            for n in (name, self.first)
        )
        return ours / theirs if ours is not None and theirs else None

    def as_json(self, names):
        return {
            "name": self.reading.name,
            "unit": self.reading.unit,
            "better": self.reading.direction,
            "sets": {
                name: {
                    "runs": self.values(name),
                    "ratios": self.ratios(name),
                    "best_ratio": self.best_ratio(name),
                }
                for name in names
            },
        }


def header(sets):
    first, *others = sets
    cells = [f"{name} [min..max]" for name in sets]
    cells += [f"{name}/{first} (best)" for name in others]
    return _line("case", "figure", "better", cells)


def rows(results, case):
    """A line for each figure: medians, ranges and ratios."""
    figures = results.figures(case)
    for figure in figures:
        cells = [_spread(figure.values(name)) for name in results.sets]
        for name in results.sets[1:]:
            best = figure.best_ratio(name)
            tail = "" if best is None else f" ({_short(best)})"
            cells.append(_spread(figure.ratios(name)) + tail)
        title = f"{figure.reading.name}, {figure.reading.unit}"
        yield _line(case, title, figure.reading.direction, cells)
    if not figures:
        yield _line(case, "no run succeeded", "", [])


def as_json(results, options, sets):
    report = {
        "machine": {
            "kernel": platform.release(),
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "load": os.getloadavg()[0],
        },
        "options": {"seconds": options.seconds, "scale": options.scale},
        "sets": {programs.name: programs.directories for programs in sets},
        "cases": {
            case: [figure.as_json(results.sets) for figure in results.figures(case)]
            for case in results.runs
        },
        "errors": results.errors,
    }
    return json.dumps(report, indent=1) + "\n"


def _known(values):
    return [value for value in values if value is not None]


def _spread(values):
    known = _known(values)
    if not known:
        return "-"
    text = _short(statistics.median(known))
    if len(known) > 1:
        text += f" [{_short(min(known))}..{_short(max(known))}]"
    return text


def _short(value):
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _line(case, title, better, cells):
    line = f"{case:19} {title:32} {better:6}"
    return (line + "".join(f" {cell:26}" for cell in cells)).rstrip()
