"""All uses of OpenVINO's private parts, each with the reason why the public API isn't enough.

tests/networks/test_openvino_compat.py shows which of them a new OpenVINO version has changed.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

__all__ = ["import_openvino"]


@cache
def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report even the import.

    Relies on OpenVINO working without the package ``openvino_telemetry``, since OpenVINO has no
    switch for it.
    """
    if "openvino" not in sys.modules:
        reporter = "openvino_telemetry"
        before = sys.modules.get(reporter)
        sys.modules[reporter] = None  # type: ignore[assignment]  # "can't be imported"
        try:
            import openvino
        finally:
            del sys.modules[reporter]
            if before is not None:
                sys.modules[reporter] = before
    import openvino

    return openvino
