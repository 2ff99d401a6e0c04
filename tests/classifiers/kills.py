"""Kill trainings with SIGKILL at random moments, let each continue, and compare it with one
that was never killed: ``python -m tests.classifiers.kills minivgg 20``.

A training is killed five times before it may end. One process imports TensorFlow once and
forks each run before TensorFlow has started, so that twenty kills take a minute.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EPOCHS = 40
KILLS_EACH = 5
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def run(folder, kind, count):
    """Kill `count` trainings; report how many kills counted and were survived."""
    words = [sys.executable, "-m", __name__, kind, str(count), str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def minivgg(folder, **training):
    from skvision import MiniVGGClassifier

    return MiniVGGClassifier(
        image_size=8,
        filters=(4,),
        convs_per_block=1,
        dense_units=(8,),
        optimizer="adam",
        epochs=EPOCHS,
        **training,
    )


def finetune(folder, **training):
    """Return a classifier on the body of a network of other data, in a file made before."""
    from skvision import FineTunedClassifier

    return FineTunedClassifier(
        folder.parent / "body.skv",
        dense_units=(8,),
        # so that a training is killed in both phases
        warmup_epochs=EPOCHS // 4,
        fine_tune_epochs=EPOCHS - EPOCHS // 4,
        **training,
    )


KINDS = {"minivgg": minivgg, "finetune": finetune}


def data():
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (320, 8, 8, 3), dtype=np.uint8), np.arange(320) % 3


def train(folder, kind, log):
    """Train with all random draws: dropout, order, augmentation, checkpoints within epochs."""
    import keras

    from skvision import ImageAugmenter, save

    class Log(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            # the trainable weights identify the phase
            os.write(log, f"epoch {epoch} of {len(self.model.trainable_weights)}\n".encode())

        def on_train_batch_end(self, batch, logs=None):
            os.write(log, b"batch\n")

        def on_epoch_end(self, epoch, logs=None):
            os.write(log, b"saving\n")

    X, y = data()
    net = KINDS[kind](
        folder,
        batch_size=16,
        augmentation=ImageAugmenter(rotation_range=20, horizontal_flip=True),
        checkpoint_dir=folder / "checkpoints",
        keras_callbacks=Log(),
        random_state=0,
    )
    net.fit(X, y)
    save(net.set_params(keras_callbacks=None, checkpoint_dir=None), folder / "net.skv")
    answers = net.predict_proba(X[:64]).tolist()
    (folder / "end.json").write_text(json.dumps([net.n_epochs_, net.history_, answers]))


def make_body(path):
    from skvision import save

    X, y = data()
    save(minivgg(path, random_state=1).set_params(epochs=1).fit(X, y), path)


def started(folder, kind):
    """Fork a training; return its process and the file of its log."""
    folder.mkdir(exist_ok=True)
    path = folder / f"log-{len(list(folder.glob('log-*')))}"
    return forked(lambda: train(folder, kind, os.open(path, FLAGS))), path


def forked(work):
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def epochs(log):
    return [line for line in log if line.startswith("epoch")]


def killed(folder, kind, rng):
    """Kill a run after its first epochs; return its log, and whether the kill counts."""
    pid, path = started(folder, kind)
    begun = []
    while len(begun) < 3:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return lines(path), False
        begun += [time.monotonic()] * (len(epochs(lines(path))) - len(begun))
        time.sleep(0.002)
    # the first epoch of a run is longer than the others
    time.sleep(rng.uniform(0, 3 * (begun[2] - begun[1])))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    # after the checkpoint of an epoch (a batch of the next is done), before the next begins
    return lines(path), os.WIFSIGNALED(status) and lines(path)[-1] == "batch"


def finished(folder, kind):
    """Let a training continue to its end; return the log of that run."""
    pid, path = started(folder, kind)
    _, status = os.waitpid(pid, 0)
    return lines(path) if os.waitstatus_to_exitcode(status) == 0 else []


def result(folder):
    return json.loads((folder / "end.json").read_text())


def survival(folder, kind, rng, wanted):
    """Kill a training `wanted` times that count, then let it end.

    Return the epochs of the kills that count, and whether the next run began with the same epoch.
    """
    counted = []
    pending = None  # the epoch of a kill that counts, whose next run has not begun
    for _ in range(2 * wanted):
        if len(counted) == wanted:
            break
        log, counts = killed(folder, kind, rng)
        if pending:
            counted[-1][1] = log[:1] == [pending]
        pending = epochs(log)[-1] if counts else None
        if counts:
            counted.append([pending, False])
    log = finished(folder, kind)
    if pending:
        counted[-1][1] = log[:1] == [pending]
    return counted


def main(kind, count, folder):
    import skvision.classifiers
    import skvision.persistence

    assert skvision.classifiers
    assert skvision.persistence
    os.waitpid(forked(lambda: make_body(folder / "body.skv")), 0)
    finished(folder / "whole", kind)
    whole = result(folder / "whole")
    assert whole[0] == EPOCHS
    rng = random.Random(0)
    trainings, failures, kills = [], [], []
    while len(kills) < count and len(trainings) < count:
        each = folder / f"training-{len(trainings)}"
        trainings.append(each)
        counted = survival(each, kind, rng, min(KILLS_EACH, count - len(kills)))
        failures += [f"{each.name} did not go on in {at}" for at, lived in counted if not lived]
        if not (each / "end.json").exists() or result(each) != whole:
            failures.append(f"{each.name} ended otherwise")
            counted = [(at, False) for at, _ in counted]
        kills += counted
    # load the models last, since that starts TensorFlow here
    X, _ = data()
    for each in trainings:
        if skvision.load(each / "net.skv").predict_proba(X[:64]).tolist() != whole[2]:
            failures.append(f"{each.name}: its model says otherwise")
    survived = sum(lived for _, lived in kills)
    phases = len({at.rpartition(" ")[2] for at, _ in kills})
    report = {"counted": len(kills), "survived": survived, "phases": phases, "failures": failures}
    print(json.dumps(report))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3] if len(sys.argv) > 3 else temporary))
