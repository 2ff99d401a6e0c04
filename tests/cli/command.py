"""Run the command line, mostly in a separate process, and return its result."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

import pytest

from skvision.cli import main

COMMAND = (sys.executable, "-m", "skvision")


def run(*words, text=True, **how):
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=text, timeout=300, **how
    )


def called(*words):
    """Run a command in this process, which has already started TensorFlow."""
    output, errors = io.StringIO(), io.StringIO()
    # a command keeps its environment to itself: --jobs of one must not reach the next
    with (
        mock.patch.dict(os.environ),
        warnings.catch_warnings(),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        # as Python's own filters do in a process without pytest
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
    return subprocess.CompletedProcess(
        words, ended.value.code, output.getvalue(), errors.getvalue()
    )


def ran(*words, by=run, **how):
    """Return the output of a command that must succeed with an empty standard error."""
    result = by(*words, **how)
    assert result.returncode == 0, result.stderr
    assert not result.stderr
    return result.stdout


def refused(*words, by=called, **how):
    """Return the only line on standard error of a command that must exit with 2."""
    result = by(*words, **how)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("skvision: ")
    return lines[0]


class OnTerminal:
    """A command with a terminal as standard error, so that its progress can be read."""

    def __init__(self, *words, **how):
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            **how,
        )
        os.close(theirs)
        self._read = ""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._listen, args=(ours,), daemon=True)
        self._reader.start()

    def _listen(self, terminal):
        try:
            while part := os.read(terminal, 65536):
                with self._news:
                    self._read += part.decode(errors="replace")
                    self._news.notify_all()
        except OSError:  # the other end was closed
            pass
        os.close(terminal)

    def wait_for(self, pattern, timeout=120):
        with self._news:
            found = self._news.wait_for(lambda: re.search(pattern, self._read), timeout)
        assert found, self._read[-2000:]

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self, timeout=120):
        """Return the exit code, standard output, and the last text on the terminal."""
        output, _ = self.process.communicate(timeout=timeout)
        self._reader.join(timeout)
        return self.process.returncode, output, self._read
