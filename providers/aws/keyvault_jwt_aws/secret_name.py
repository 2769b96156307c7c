"""Which secret a document is, and which document a secret is."""

from __future__ import annotations

import re
from typing import Final

from keyvault_jwt.errors import BadRingName
from keyvault_jwt.store import DocumentKind, DocumentName

_LEAF: Final = re.compile(r"([a-z]+)(?:-(0|[1-9][0-9]{0,18}))?", re.ASCII)


def secret_name(prefix: str, name: DocumentName) -> str:
    """Return the name of the document's secret: PREFIX/RING/authority, PREFIX/RING/archive-N."""
    return f"{prefix}/{name}" if prefix else str(name)


def document_name(prefix: str, secret: str) -> DocumentName | None:
    """Return the document that the secret is; None if it is none of ours."""
    below = secret.removeprefix(f"{prefix}/") if prefix else secret
    ring, slash, leaf = below.partition("/")
    found = _LEAF.fullmatch(leaf) if slash else None
    if found is None:
        return None
    try:
        name = DocumentName(ring, DocumentKind(found[1]), int(found[2] or 0))
    except (ValueError, BadRingName):
        return None
    return name if secret_name(prefix, name) == secret else None
