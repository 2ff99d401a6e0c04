"""Keys of networks are equal for equal parts, in every process."""

from __future__ import annotations

import numpy as np
import pytest

from skvision.feature_extraction import network_key as module
from skvision.feature_extraction.network_key import network_key

PARTS = {"name": "VGG16", "size": (224, 224), "resize": "stretch", "layer": None, "bf16": True}


def test_a_networks_key_depends_on_every_part():
    changes = [
        {},
        {"name": "VGG19"},
        {"size": (224, 225)},
        {"resize": "crop"},
        {"layer": "block4"},
        {"bf16": False},
        {"more": 1},
    ]
    assert len({network_key(**PARTS | change) for change in changes}) == len(changes)


def test_a_networks_key_does_not_depend_on_the_notation_of_parts():
    keys = {
        network_key(**PARTS),
        network_key(**dict(reversed(PARTS.items()))),
        network_key(**PARTS | {"size": [np.int64(224), 224], "bf16": np.True_}),
    }
    assert len(keys) == 1
    assert network_key(network="My net/é: 1").startswith("My_net_1-")
    assert network_key().startswith("network-")


def test_a_networks_key_depends_on_the_decoder(monkeypatch):
    keys = [network_key(**PARTS), network_key(**PARTS, decoder=[2])]
    monkeypatch.setattr(module, "DECODER_VERSION", module.DECODER_VERSION + 1)
    keys.append(network_key(**PARTS))
    monkeypatch.setattr(module.PIL, "__version__", "99")
    keys.append(network_key(**PARTS))
    monkeypatch.setattr(module.features, "version", lambda codec: "99")
    keys.append(network_key(**PARTS))
    assert len(set(keys)) == 5


def test_parts_that_might_differ_between_processes_are_refused():
    for part in (object(), {1: 2}, {1, 2}, b"bytes", np.ones(3)):
        with pytest.raises(TypeError, match="Accepted: text"):
            network_key(part=part)
    with pytest.raises(ValueError, match="JSON compliant"):
        network_key(part=float("nan"))


def test_keys_are_the_same_in_every_process(elsewhere):
    code = "from tests.feature_extraction.test_network_key import *\nanswer = network_key(**PARTS)"
    assert elsewhere(code) == network_key(**PARTS)
