"""Run face search on live video, and trust it to stop."""

__version__ = "0.1.0"
