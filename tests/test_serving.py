"""The service in docs/serving.md, started by uvicorn and gunicorn as on the page.

Each start of a server starts TensorFlow in each worker, which takes most of the time.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from PIL import Image

import skvision

ROOT = Path(__file__).parent.parent
APP = (ROOT / "examples" / "serve.py").read_text()
PAGE = (ROOT / "docs" / "serving.md").read_text()
COMMANDS = re.findall(r"^\$ (uvicorn .*|gunicorn .*)", PAGE, flags=re.MULTILINE)
# any free port, which is in the log
ADDRESS = {"uvicorn": "--port 0", "gunicorn": "--bind 127.0.0.1:0"}
N_AT_ONCE = 8

LOAD = 'app.state.model = skvision.load("animals.skv")\n'
START = "app = FastAPI(lifespan=lifespan)\n"
LOADED_IN_PARENT = APP.replace("    " + LOAD, "").replace(START, START + LOAD)
PREDICTS_IN_PARENT = LOADED_IN_PARENT + 'app.state.model.predict(["photo.png"])\n'


def texts_of_page():
    """Return the messages of skvision on the page, each in one line."""
    found = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    return [" ".join(each.split()) for each in found]


@pytest.fixture(scope="module")
def photos(digits_folder):
    return [path.read_bytes() for path in sorted(digits_folder.rglob("*.png"))[:N_AT_ONCE]]


@pytest.fixture
def folder(fitted, photos, tmp_path):
    skvision.save(fitted, tmp_path / "animals.skv")
    (tmp_path / "photo.png").write_bytes(photos[0])
    return tmp_path


@contextmanager
def served(app, command, folder):
    """Serve an application from a folder by a command; yield the port and the file of the log."""
    (folder / "serve.py").write_text(app)
    log = folder / "log.txt"
    words = shlex.split(command)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *words, *ADDRESS[words[0]].split()],
            cwd=folder,
            # the place of gunicorn's control socket, by default the user's home
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield port_of(process, log), log
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def port_of(process, log):
    """Return the port once a server listens there."""
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
        with suppress(ConnectionRefusedError):
            if found:
                socket.create_connection(("127.0.0.1", int(found[1]))).close()
                return int(found[1])
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


def post(port, content):
    """Return (status, text) of the response to a photo."""
    head = b'--of-form\r\nContent-Disposition: form-data; name="photo"; filename="photo"\r\n\r\n'
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(
        "POST",
        "/predict",
        head + content + b"\r\n--of-form--\r\n",
        {"Content-Type": "multipart/form-data; boundary=of-form"},
    )
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def at_once(function, items):
    """Return the results of a function for all items, in threads that begin together."""
    barrier = Barrier(len(items))

    def begin(item):
        barrier.wait(60)
        return function(item)

    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(begin, items))


def bomb():
    file = io.BytesIO()
    Image.new("1", (14_000, 14_000)).save(file, "png")
    return file.getvalue()


def test_the_page_shows_the_example():
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert APP.endswith(f'"""\n\n{shown}')
    assert [each.split()[0] for each in COMMANDS] == ["uvicorn", "uvicorn", "gunicorn", "gunicorn"]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_photos_sent_together_are_answered_as_by_predict_proba(command, folder, photos, fitted):
    if command.startswith("gunicorn") and not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    not_an_image, of_bomb = texts_of_page()[0], "it may be a decompression bomb"
    app = LOADED_IN_PARENT if "--preload" in command else APP
    with served(app, command, folder) as (port, _):
        answers = at_once(lambda photo: post(port, photo), photos)
        refused = [post(port, content) for content in (b"no image here", bomb())]
    assert [status for status, _ in answers] == [200] * N_AT_ONCE
    bodies = [json.loads(text) for _, text in answers]
    assert list(bodies[0]) == list(fitted.classes_)
    np.testing.assert_allclose(
        [list(body.values()) for body in bodies], fitted.predict_proba(photos), atol=1e-6
    )
    assert [status for status, _ in refused] == [422, 422]
    assert json.loads(refused[0][1]) == {"detail": not_an_image}
    assert of_bomb in refused[1][1]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_workers_of_a_parent_that_predicted_answer_with_an_immediate_error(folder, photos):
    with served(PREDICTS_IN_PARENT, COMMANDS[-1], folder) as (port, log):
        answers = at_once(lambda photo: post(port, photo), photos)
    assert [status for status, _ in answers] == [500] * N_AT_ONCE
    assert f"RuntimeError: {texts_of_page()[1]}" in log.read_text()


@pytest.mark.parametrize("kind", ["estimator", "pipeline"])
def test_threads_predict_the_same_as_a_sequence(kind, folder, digits):
    model = skvision.load(folder / "animals.skv")
    X, y = digits
    if kind == "pipeline":
        model = skvision.make_feature_classifier(model, random_state=0).fit(X, y)
    parts = np.array_split(X, N_AT_ONCE)
    together = at_once(model.predict_proba, parts)
    for part, probabilities in zip(parts, together, strict=True):
        np.testing.assert_array_equal(probabilities, model.predict_proba(part))
