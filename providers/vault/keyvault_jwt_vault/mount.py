"""Mount: the secrets engine that a store's documents are in, which must be KV version 2."""

from __future__ import annotations

from keyvault_jwt.per_process import PerProcess

from .active_node import ActiveNode
from .errors import Denied, NotVersioned, WrongPlace
from .session import Session


class Mount:
    """A mount to be looked at once per process.

    Version 1 ignores check-and-set without a word: two writers would both win.
    """

    def __init__(self, session: Session, active: ActiveNode) -> None:
        self._session, self._active = session, active
        self._seen: PerProcess[list[str]] = PerProcess(list)

    def require_versioned(self) -> None:
        """Raise `NotVersioned`, `WrongPlace` or `Denied` unless it is seen to be KV version 2."""
        seen = self._seen.get()
        if not seen:
            seen.append(self._look())

    def _look(self) -> str:
        mount = self._session.address.mount
        # Any token that may do anything below the mount may read this:
        # https://developer.hashicorp.com/vault/api-docs/system/internal-ui-mounts
        try:
            answer = self._session.request("GET", f"sys/internal/ui/mounts/{mount}")
        except Denied as denied:
            raise Denied(
                f"Vault does not show the mount {mount!r}",
                why="the token has expired, there is no such mount, or no policy grants anything below it",
                fix="log in again, check the store URL and VAULT_NAMESPACE, and see `keyvault-jwt access`",
            ) from denied
        kind, options = answer.data.get("type"), answer.data.get("options")
        path = str(answer.data.get("path", "")).strip("/")
        if kind != "kv" or path != mount:
            raise WrongPlace(
                f"{mount!r} is no KV mount",
                why=f"{path!r} is of type {kind}" if kind else "nothing is mounted there",
                fix="name a KV version 2 mount in the store URL: vault://MOUNT/PREFIX",
            )
        if not isinstance(options, dict) or options.get("version") != "2":
            raise NotVersioned(
                f"the mount {mount!r} is KV version 1",
                why="it ignores check-and-set, and two writers would both win",
                fix=f"upgrade it with `bao kv enable-versioning {mount}`, or name a version 2 mount",
            )
        self._active.learn(answer)
        return path
