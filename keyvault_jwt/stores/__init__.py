"""The embedded stores: `file:DIR`, sealed at rest, and `memory:`."""
