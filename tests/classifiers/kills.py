"""Kill trainings with SIGKILL at random moments, let each go on, and hold it against one
that was never killed: ``python -m tests.classifiers.kills 20``.

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


def run(folder, count):
    """Kill `count` trainings; the report says how many kills counted and were survived."""
    words = [sys.executable, "-m", __name__, str(count), str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def train(folder, log):
    """A training with all that is drawn: dropout, order, augmentation, batches in between."""
    import keras
    import numpy as np

    from skvision import ImageAugmenter, MiniVGGClassifier, save

    class Log(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            os.write(log, f"epoch {epoch}\n".encode())

        def on_train_batch_end(self, batch, logs=None):
            os.write(log, b"batch\n")

        def on_epoch_end(self, epoch, logs=None):
            os.write(log, b"saving\n")

    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (320, 8, 8), dtype=np.uint8), np.arange(320) % 3
    net = MiniVGGClassifier(
        image_size=8,
        filters=(4,),
        convs_per_block=1,
        dense_units=(8,),
        optimizer="adam",
        epochs=EPOCHS,
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


def started(folder):
    """Fork a training; its process and the file it writes its log to."""
    folder.mkdir(exist_ok=True)
    path = folder / f"log-{len(list(folder.glob('log-*')))}"
    pid = os.fork()
    if pid:
        return pid, path
    code = 1
    try:
        train(folder, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        code = 0
    finally:
        os._exit(code)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def killed(folder, rng):
    """Kill a run after its first epochs; its log, and whether the kill counts."""
    pid, path = started(folder)
    begun = []
    while len(begun) < 3:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return lines(path), False
        n_epochs = sum(line.startswith("epoch") for line in lines(path))
        begun += [time.monotonic()] * (n_epochs - len(begun))
        time.sleep(0.002)
    # the first epoch of a run is longer than the others
    time.sleep(rng.uniform(0, 3 * (begun[2] - begun[1])))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    # after the checkpoint of an epoch (a batch of the next is done), before the next begins
    return lines(path), os.WIFSIGNALED(status) and lines(path)[-1] == "batch"


def finished(folder):
    """Let a training go on to its end; the log of that run."""
    pid, path = started(folder)
    _, status = os.waitpid(pid, 0)
    return lines(path) if os.waitstatus_to_exitcode(status) == 0 else []


def result(folder):
    return json.loads((folder / "end.json").read_text())


def survival(folder, rng, wanted):
    """Kill a training `wanted` times that count, then let it end; (counted, survived)."""
    counted = survived = 0
    pending = False  # a kill that counts, whose next run has not begun
    for _ in range(2 * wanted):
        if counted == wanted:
            break
        log, counts = killed(folder, rng)
        survived += pending and log[:1] not in ([], ["epoch 0"])
        counted += counts
        pending = counts
    log = finished(folder)
    return counted, survived + (pending and log[:1] not in ([], ["epoch 0"]))


def main(count, folder):
    import skvision.classifiers
    import skvision.persistence

    assert skvision.classifiers
    assert skvision.persistence
    finished(folder / "whole")
    whole = result(folder / "whole")
    assert whole[0] == EPOCHS
    rng = random.Random(0)
    trainings, failures = [], []
    counted = survived = 0
    while counted < count and len(trainings) < count:
        each = folder / f"training-{len(trainings)}"
        trainings.append(each)
        kills, lived = survival(each, rng, min(KILLS_EACH, count - counted))
        counted += kills
        if lived < kills:
            failures.append(f"{each.name} began anew after {kills - lived} kills")
        if not (each / "end.json").exists() or result(each) != whole:
            failures.append(f"{each.name} ended otherwise")
            lived = 0
        survived += lived
    # the models last: loading them starts TensorFlow here
    import numpy as np

    X = np.random.default_rng(0).integers(0, 256, (320, 8, 8), dtype=np.uint8)
    for each in trainings:
        if skvision.load(each / "net.skv").predict_proba(X[:64]).tolist() != whole[2]:
            failures.append(f"{each.name}: its model says otherwise")
    print(json.dumps({"counted": counted, "survived": survived, "failures": failures}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(int(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else temporary))
