"""Converted networks on disk: converted once for all processes, and never loaded if damaged."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest

from skvision import PretrainedFeatureTransformer
from skvision.feature_extraction.cache import KeptNetwork, kept_networks
from skvision.feature_extraction.engines import OpenVINOEngine
from skvision.feature_extraction.extraction import running_engines
from skvision.feature_extraction.network_key import network_key
from skvision.feature_extraction.recipe import FeatureRecipe


@pytest.fixture
def kept(tmp_path):
    return KeptNetwork(tmp_path, "net-0123")


def test_a_written_network_is_found(kept, tmp_path):
    assert kept.find() is None
    kept.write(lambda place: (place / "a.bin").write_bytes(b"weights"))
    assert (kept.find() / "a.bin").read_bytes() == b"weights"
    [(folder, n_bytes)] = kept_networks(tmp_path)
    assert (folder, n_bytes > 7) == (kept.folder, True)


@pytest.mark.parametrize("file", ["a.bin", "checksums.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_network_is_not_found_and_replaced(kept, file, damage):
    kept.write(lambda place: (place / "a.bin").write_bytes(b"weights"))
    path = kept.folder / file
    content = path.read_bytes()
    if damage == "flip":
        path.write_bytes(content[:2] + bytes([content[2] ^ 1]) + content[3:])
    elif damage == "cut":
        path.write_bytes(content[:-1])
    else:
        path.unlink()
    assert kept.find() is None
    kept.write(lambda place: (place / "a.bin").write_bytes(b"again"))
    assert (kept.find() / "a.bin").read_bytes() == b"again"


def test_a_network_that_cannot_be_kept_is_not_an_error(kept, tmp_path):
    def fail(place):
        (place / "a.bin").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    kept.write(fail)
    assert kept.find() is None
    assert not list(kept_networks(tmp_path))
    (tmp_path / "file").touch()
    KeptNetwork(tmp_path / "file", "net").write(lambda place: None)


def test_the_second_writer_keeps_the_existing_network(kept):
    barrier = threading.Barrier(4)

    def write(number):
        def content(place):
            barrier.wait()
            (place / "a.bin").write_bytes(bytes([number]) * 1000)

        kept.write(content)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content = (kept.find() / "a.bin").read_bytes()
    assert len(set(content)) == 1


CODE = """
import sys
import numpy as np
from skvision import PretrainedFeatureTransformer
from skvision.feature_extraction.extraction import running_engines
from skvision.feature_extraction.recipe import FeatureRecipe

def refuse(self):
    raise AssertionError("built although it is kept")

running_engines.clear()
build, FeatureRecipe.build = FeatureRecipe.build, refuse
try:
    X = np.load(sys.argv[1] + "/X.npy")
    transformer = PretrainedFeatureTransformer(image_size=32, engine="openvino", cache=sys.argv[1])
    np.save(sys.argv[1] + "/F.npy", transformer.fit_transform(X))
finally:
    FeatureRecipe.build = build
"""


@pytest.mark.slow
def test_openvino_converts_a_network_once(tmp_path, monkeypatch, elsewhere):
    X = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    transformer = PretrainedFeatureTransformer(image_size=32, engine="openvino", cache=tmp_path)
    running_engines.clear()
    expected = transformer.fit_transform(X)
    np.save(tmp_path / "X.npy", X[::-1].copy() // 2)  # other images, not in the cache
    elsewhere(CODE, tmp_path)
    assert np.load(tmp_path / "F.npy").shape == expected.shape
    # the same from the file, to the bit
    running_engines.clear()
    monkeypatch.setattr(FeatureRecipe, "build", None)
    again = PretrainedFeatureTransformer(image_size=32, engine="openvino", cache=tmp_path)
    again.fit(X).set_params(cache=None)
    np.testing.assert_array_equal(again.transform(X), expected)
    # a damaged network is converted again
    monkeypatch.undo()
    [(folder, _)] = kept_networks(tmp_path)
    weights = bytearray((folder / "network.bin").read_bytes())
    weights[1000] ^= 64
    (folder / "network.bin").write_bytes(weights)
    running_engines.clear()
    again.set_params(cache=tmp_path).fit(X).set_params(cache=None)
    np.testing.assert_array_equal(again.transform(X), expected)


FULL_DISK = """
import resource, sys
import numpy as np
from skvision import PretrainedFeatureTransformer

resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
X = np.zeros((1, 32, 32, 3), np.uint8)
transformer = PretrainedFeatureTransformer(image_size=32, engine="openvino", cache=sys.argv[1])
print(transformer.fit_transform(X).shape)
"""


@pytest.mark.slow
def test_no_part_of_a_network_is_kept_on_a_full_disk(tmp_path):
    process = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True
    )
    assert process.stdout.strip() == "(1, 1280)", process.stderr
    assert not list(kept_networks(tmp_path))


def test_nothing_is_compiled_if_all_features_are_cached(tmp_path, monkeypatch):
    X = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    transformer = PretrainedFeatureTransformer(image_size=32, engine="openvino", cache=tmp_path)
    expected = transformer.fit_transform(X)
    running_engines.clear()
    monkeypatch.setattr(OpenVINOEngine, "run", None)
    np.testing.assert_array_equal(transformer.fit_transform(X), expected)


def test_another_version_of_the_networks_has_another_key(monkeypatch):
    recipe = FeatureRecipe("VGG16", None, None, "avg", (32, 32), "digest")
    before = network_key(**recipe.key_parts())
    assert before == network_key(**recipe.key_parts())
    monkeypatch.setattr("skvision.feature_extraction.recipe.NETWORKS_VERSION", 2)
    assert network_key(**recipe.key_parts()) != before
