"""Results of the check matrix, as a table at the end of a run."""

from __future__ import annotations

import re
from collections import Counter

import sklearn

COLUMNS = ("passed", "failed", "xfailed", "skipped")


def counted(stats):
    """Return the counts of outcomes of each estimator."""
    table = {}
    for outcome in COLUMNS:
        for report in stats.get(outcome, ()):
            if found := re.search(r"::test_estimator_check\[(\w+(?:\[\w+\])?)-", report.nodeid):
                table.setdefault(found[1], Counter())[outcome] += 1
    return dict(sorted(table.items()))


def pytest_terminal_summary(terminalreporter):
    table = counted(terminalreporter.stats)
    if not table:
        return
    terminalreporter.section(f"estimator checks, scikit-learn {sklearn.__version__}")
    heads = ("run", "passed", "failed", "excused", "skipped")
    terminalreporter.write_line("".join([f"{'':44}", *(f"{head:>8}" for head in heads)]))
    for name, ends in table.items():
        numbers = (ends.total(), *(ends[outcome] for outcome in COLUMNS))
        line = "".join([f"{name:44}", *(f"{number:8}" for number in numbers)])
        terminalreporter.write_line(line)
