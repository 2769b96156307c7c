"""A server over the store named first: prints its address, and ends in order on SIGTERM."""

from __future__ import annotations

import sys

import keyvault_jwt as kj
from keyvault_jwt.server import create_app, serve


def main() -> None:
    app = create_app(kj.open_store(sys.argv[1]), operator_pages=False)
    serve(app, port=0, bound=lambda address: print(address, flush=True))
    print("ended", flush=True)


main()
