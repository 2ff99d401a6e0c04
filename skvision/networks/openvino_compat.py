"""All that leans on OpenVINO's private parts: what it leans on, and why there is no other way.

tests/networks/test_openvino_compat.py tells which of them a new OpenVINO has changed.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

__all__ = ["import_openvino"]


@cache
def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report the import already.

    Leans on OpenVINO doing without the package ``openvino_telemetry``: there is no switch.
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
