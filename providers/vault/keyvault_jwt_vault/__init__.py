"""Keyrings in HashiCorp Vault and OpenBao."""
