"""What skvision leans on in OpenVINO: each test fails where a new one has changed such a thing."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("openvino")


def test_openvino_does_without_its_telemetry():
    code = (
        "import sys\n"
        "from skvision.networks.openvino_compat import import_openvino\n"
        "assert import_openvino().Core().available_devices == ['CPU']\n"
        "assert import_openvino() is sys.modules['openvino']\n"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_the_decoder_of_pytorch_takes_what_it_is_given():
    # read, since importing it needs PyTorch
    spec = importlib.util.find_spec("openvino")
    source = Path(spec.origin).parent / "frontend" / "pytorch" / "ts_decoder.py"
    assert source.is_file(), "traced_by_torch has nothing to lean on"
    (decoder,) = (
        node
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == "TorchScriptPythonDecoder"
    )
    (init,) = (each for each in decoder.body if getattr(each, "name", None) == "__init__")
    names = {argument.arg for argument in (*init.args.args, *init.args.kwonlyargs)}
    assert {"example_input", "shared_memory"} <= names
