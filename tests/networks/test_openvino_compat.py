"""Private parts of OpenVINO that skvision uses: a test fails if a new version changes one."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("openvino")


def test_openvino_works_without_its_telemetry():
    code = (
        "import sys\n"
        "from skvision.networks.openvino_compat import import_openvino\n"
        "assert import_openvino().Core().available_devices == ['CPU']\n"
        "assert import_openvino() is sys.modules['openvino']\n"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
