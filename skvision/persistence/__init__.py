"""Models and networks to files and back."""

from .network_file import load_network, network_summary, save_network
from .safe_file import load, save

__all__ = ["load", "load_network", "network_summary", "save", "save_network"]
