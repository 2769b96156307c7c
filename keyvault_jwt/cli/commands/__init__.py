"""One subcommand, or one tight family, to a file: each module has its `command`."""
