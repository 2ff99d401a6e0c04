"""One other process for all tests that ask what holds in another: Keras starts once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

# standard output is kept for answers, whatever libraries print
_OTHER = """
import json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    code, words = json.loads(line)
    sys.argv[1:] = words
    names = {}
    try:
        exec(code, names)
        said = [names.get("answer"), None]
    except BaseException:
        said = [None, traceback.format_exc()]
    print(json.dumps(said), file=answers, flush=True)
"""


class Elsewhere:
    """A process that has seen nothing of what is handed to it, and hashes text otherwise."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OTHER],
            env={**os.environ, "PYTHONHASHSEED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, code, *words):
        """Run code there with these words in `sys.argv`; what it calls `answer`, if anything."""
        print(json.dumps([code, [*map(str, words)]]), file=self._process.stdin, flush=True)
        answer, error = json.loads(self._process.stdout.readline())
        assert error is None, error
        return answer

    def end(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
