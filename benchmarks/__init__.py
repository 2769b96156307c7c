"""Speed and memory, measured one figure per file; `make bench` prints them."""
