"""Parameters: the options of a store URL that say how to log in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from keyvault_jwt.errors import BadStoreURL

_MOUNT: Final = re.compile(r"[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Parameters:
    """The options of one auth method, each known by name; raises `BadStoreURL` for any other."""

    __slots__ = ("_method", "_values")

    def __init__(self, method: str, values: Mapping[str, str], known: Iterable[str]) -> None:
        allowed = {"auth", *known}
        unknown = sorted(set(values) - allowed)
        if unknown:
            # Names alone: what stands behind them may be a secret that has no place in a URL.
            raise _bad(
                f"auth={method} has no option {', '.join(unknown)}",
                f"its options are {', '.join(sorted(allowed - {'auth'})) or 'none'}",
            )
        self._method, self._values = method, values

    def text(self, name: str, default: str = "") -> str:
        """Return an option; raises `BadStoreURL` if it is there and empty."""
        value = self._values.get(name)
        if value is None:
            return default
        if not value.strip() or not value.isprintable():
            raise _bad(f"its {name} is empty or not printable", f"write {name}=…, or leave it out")
        return value.strip()

    def required(self, name: str) -> str:
        """Return an option that the method can't do without."""
        return self.text(name) or self._missing(name)

    def file(self, name: str) -> Path | None:
        """Return the path that an option names."""
        path = self.text(name)
        return Path(path).expanduser() if path else None

    def variable(self, name: str) -> str:
        """Return the name of an environment variable."""
        variable = self.text(name)
        if variable and not _VARIABLE.fullmatch(variable):
            # Not quoted: whoever took the option for the secret itself wrote the secret here.
            raise _bad(f"its {name} names no environment variable", "give the variable's name, not its value")
        return variable

    def mount(self) -> str:
        """Return where the auth method is mounted, without `auth/`; by default the method's own name."""
        mount = self.text("auth_mount", self._method).strip("/").removeprefix("auth/")
        if not _MOUNT.fullmatch(mount) or any(set(part) == {"."} for part in mount.split("/")):
            raise _bad("its auth_mount is no mount path", "write it like auth_mount=approle")
        return mount

    def one_of(self, *names: str) -> None:
        """Raise `BadStoreURL` if more than one of these options is there."""
        there = [name for name in names if name in self._values]
        if len(there) > 1:
            raise _bad(f"{' and '.join(there)} exclude each other", "leave one of them")

    def _missing(self, name: str) -> str:
        raise _bad(f"auth={self._method} needs {name}", f"add &{name}=…")


def _bad(why: str, fix: str) -> BadStoreURL:
    return BadStoreURL("the vault store URL does not say how to log in", why=why, fix=fix)
