"""Models and networks to files and back.

It imports `skvision.networks` (where a network is at hand) and what lies below it. It imports no
estimator: it knows them by their names and by `NetworkEstimator`.
"""

from .export import export_model
from .network_file import load_network, network_summary, save_network
from .safe_file import load, save

__all__ = ["export_model", "load", "load_network", "network_summary", "save", "save_network"]
