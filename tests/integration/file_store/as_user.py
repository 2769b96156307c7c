"""`as_user.py UID GID DIR`: one call on a file store as another user, pickled on stdin and stdout."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from uuid import uuid4

from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.stores.file import FileStore


def main(uid: int, gid: int, directory: str) -> None:
    """Drop to the user, call, and answer with the result or the error."""
    method, arguments, options = pickle.load(sys.stdin.buffer)
    store = FileStore(directory)
    # What is imported late is imported now: the other user may not read this interpreter.
    with tempfile.TemporaryDirectory() as other:
        name = DocumentName("warm", DocumentKind.SIGNING)
        FileStore(other).replace(name, Draft(b"", 0, uuid4()), expected=None)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    try:
        answer = getattr(store, method)(*arguments, **options)
    except KeyvaultJWTError as error:
        answer = error
    sys.stdout.buffer.write(pickle.dumps(answer))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
