"""The version, alone in its file so that `--version` and the build read it without importing more."""

__version__ = "0.1.0"
