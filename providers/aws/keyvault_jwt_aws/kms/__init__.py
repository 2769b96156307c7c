"""Signing keys in AWS KMS: their private halves never leave it."""

from __future__ import annotations

from .kms_store import KmsStore

__all__ = ["KmsStore"]
