"""Models and networks to files and back."""

from .network_file import load_network, network_summary, save_network

__all__ = ["load_network", "network_summary", "save_network"]
