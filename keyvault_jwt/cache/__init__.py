"""The verifier's cache of a JWK Set: how fresh it is, how it is refreshed, and what it never takes back."""

from .freshness import Lifetime
from .health import Health
from .jwks_cache import JWKSCache
from .source import Loaded, Source
from .waiting_room import WAITING_THREADS

__all__ = ["WAITING_THREADS", "Health", "JWKSCache", "Lifetime", "Loaded", "Source"]
