from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from skvision._system.progress import progress


def test_without_verbosity_items_stay_unchanged():
    items = [1, 2, 3]
    assert progress(items, "counting", 0) is items


@pytest.mark.slow
def test_lines_printed_beside_a_bar_go_to_standard_output():
    code = (
        "from skvision._system.progress import progress\n"
        "from skvision.training.epoch_bar import TrainingProgress\n"
        "def bar():\n"
        "    bar = TrainingProgress()\n"
        "    bar.set_params({'epochs': 3, 'steps': 1})\n"
        "    bar.on_train_begin()\n"
        "    for epoch in range(3):\n"
        "        bar.on_epoch_begin(epoch)\n"
        "        yield epoch\n"
        "    bar.close()\n"
        "for number in progress(range(3), 'counting', 1):\n    print('item', number)\n"
        "for number in bar():\n    print('item', number)\n"
    )
    terminal, end = pty.openpty()
    run = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=end, text=True, check=True
    )
    os.close(end)
    assert run.stdout == "item 0\nitem 1\nitem 2\n" * 2
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "item" not in shown
    assert "counting" in shown
    assert "epoch 3/3" in shown
