"""The life of JWT signing keys: made, published, rotated, revoked, verified."""
