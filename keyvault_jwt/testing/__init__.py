"""What a caller's own tests need: a clock to turn, a store that loses answers, a store's conformance
suite, real servers.

The names are resolved when touched: only the contracts need pytest, only the servers a `bao` command.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bao_cluster import BaoCluster as BaoCluster
    from .bao_cluster import BaoNode as BaoNode
    from .bao_server import BaoServer as BaoServer
    from .fake_clock import FakeClock as FakeClock
    from .shared_store_contract import SharedStoreContract as SharedStoreContract
    from .store_contract import StoreContract as StoreContract
    from .store_roles_contract import StoreRolesContract as StoreRolesContract
    from .uncertain_store import UncertainStore as UncertainStore

__all__ = [
    "BaoCluster",
    "BaoNode",
    "BaoServer",
    "FakeClock",
    "SharedStoreContract",
    "StoreContract",
    "StoreRolesContract",
    "UncertainStore",
]

if not TYPE_CHECKING:  # a checker that saw __getattr__ would take any misspelt name for a public one
    _HOMES = MappingProxyType(
        {
            "BaoCluster": "bao_cluster",
            "BaoNode": "bao_cluster",
            "BaoServer": "bao_server",
            "FakeClock": "fake_clock",
            "SharedStoreContract": "shared_store_contract",
            "StoreContract": "store_contract",
            "StoreRolesContract": "store_roles_contract",
            "UncertainStore": "uncertain_store",
        }
    )

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

    def __dir__():
        return sorted({*globals(), *__all__})
