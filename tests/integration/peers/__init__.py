"""Verifiers that know nothing of keyvault-jwt, as processes of their own."""
