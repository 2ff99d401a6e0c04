"""Save models and networks to files, and load them.

The package imports `skvision.networks` (only to handle a network) and lower layers. It imports no
estimators; it knows them by their names and by `NetworkEstimator`.
"""

from .export import export_model
from .network_file import load_network, network_summary, save_network
from .safe_file import load, save

__all__ = ["export_model", "load", "load_network", "network_summary", "save", "save_network"]
