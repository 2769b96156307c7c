"""`private_halves=separate`: every version of a private document under a key that goes with it."""

from .separate_store import SeparateStore

__all__ = ["SeparateStore"]
