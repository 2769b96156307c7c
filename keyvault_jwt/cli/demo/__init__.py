"""What `demo` shows: the fleet as it plays, and what it came to."""
