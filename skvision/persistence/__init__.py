"""Models and networks to files and back."""

from .export import export_model
from .network_file import load_network, network_summary, save_network
from .safe_file import load, save

__all__ = ["export_model", "load", "load_network", "network_summary", "save", "save_network"]
