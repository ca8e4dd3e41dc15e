"""The version of Bence."""

__version__ = "0.1.0"
