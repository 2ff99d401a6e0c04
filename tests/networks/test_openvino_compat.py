"""Private parts of OpenVINO that skvision uses: a test fails if a new version changes one."""

from __future__ import annotations

import subprocess
import sys

import joblib
import pytest

pytest.importorskip("openvino")


@pytest.mark.slow
def test_openvino_works_without_its_telemetry(fitted, tmp_path):
    """In one fresh process: alone, as an engine, and where a network is exported."""
    joblib.dump(fitted, tmp_path / "net.joblib")
    code = (
        "import sys\n"
        "from skvision.networks.openvino_compat import import_openvino\n"
        "def report():\n"
        "    print([name for name in sys.modules if name.startswith('openvino_telemetry')])\n"
        "assert import_openvino().Core().available_devices == ['CPU']\n"
        "assert import_openvino() is sys.modules['openvino']\n"
        "report()\n"
        "from skvision.feature_extraction.engines import OpenVINOEngine\n"
        "OpenVINOEngine.version()\n"
        "report()\n"
        "import joblib; from skvision import export_model\n"
        "export_model(joblib.load(sys.argv[1]), sys.argv[2])\n"
        "report()\n"
    )
    words = [tmp_path / "net.joblib", tmp_path / "net.xml"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert [line for line in done.stdout.splitlines() if line[0] == "["] == ["[]"] * 3, done.stderr
