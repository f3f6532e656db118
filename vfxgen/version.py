"""The version that stands in every published frame."""

__version__ = "0.1.0"
