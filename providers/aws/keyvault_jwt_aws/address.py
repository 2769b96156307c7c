"""Address: which region, which place in it and which way there, as a store URL says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.duration import milliseconds, parse_duration
from keyvault_jwt.errors import BadDuration, BadStoreURL, BadURL
from keyvault_jwt.web_address import names_this_machine, web_address

from .signing_keys import SigningKeys, signing_keys

STALENESS: Final[Milliseconds] = 30_000
"""S unless the store URL says otherwise.  All operations are eventually consistent, and the service
states no bound but five minutes for lists: docs.aws.amazon.com, API reference, ListSecrets."""

_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_+=.@-]+", re.ASCII)
_LONGEST_PREFIX: Final = 400
"""A secret's name has at most 512 characters, and a keyring's and document's names need some."""
_LONGEST_WITH_KEYS: Final = 350
"""And a version's id, in the name of its key."""
_TITLES: Final = MappingProxyType(
    {"secretsmanager": "Secrets Manager", "kms": "KMS", "resourcegroupstaggingapi": "the tagging service"}
)
_TIMES: Final = MappingProxyType({"connect_timeout": "3s", "read_timeout": "10s", "deadline": "30s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A place in Secrets Manager, and how to get there.

    `prefix` is the part of the secrets' names before the keyring's, without slashes at its ends.
    `profile` names one of `~/.aws/config`; empty for the environment's choice.
    `endpoint_url` is empty for the region's own.  `kms_key` (empty: the account's
    `aws/secretsmanager`), `tags` and `replicas` (regions) are given to secrets as they are made, and
    `read_from` is the replica's region where readers ask first.  Times are milliseconds:
    `connect_timeout` and `read_timeout` bound one try, `deadline` a request with its repetitions,
    and `staleness` is how old a read may be.  `sparing` is false only for a stand-in on this machine
    that keeps as many versions as one likes.  `signing_keys` says that keys are made in KMS (None:
    private halves are in the documents), `separate` that each version of a document with private halves
    has a key of its own, and `service` which of AWS's services is meant.
    """

    region: str
    prefix: str = ""
    endpoint_url: str = ""
    profile: str = ""
    kms_key: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    replicas: tuple[str, ...] = ()
    read_from: str = ""
    connect_timeout: Milliseconds = 3_000
    read_timeout: Milliseconds = 10_000
    deadline: Milliseconds = 30_000
    staleness: Milliseconds = STALENESS
    sparing: bool = True
    signing_keys: SigningKeys | None = None
    separate: bool = False
    service: str = "secretsmanager"

    def __str__(self) -> str:
        return f"{_TITLES[self.service]} in {self.region}"


def parse_url(url: str) -> Address:
    """Return the address of an `awssm://REGION/PREFIX?…` URL; raises `BadStoreURL`.

    Credentials come from AWS's own chain.  What would be unsafe against the real service, reads
    that are never stale and writes without end, may be said of an endpoint on this machine alone.
    """
    parts = urlsplit(url)
    prefix = unquote(parts.path).strip("/")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if parts.scheme != "awssm" or parts.fragment or len(pairs) != len(options):
        raise _bad("it has a fragment, or an option twice")
    if not _REGION.fullmatch(parts.netloc):
        raise _bad("what stands after awssm:// is no region, such as eu-west-1")
    if prefix and not all(_SEGMENT.fullmatch(part) for part in prefix.split("/")):
        raise _bad("the prefix has other characters than A-Z a-z 0-9 / _ + = . @ -")
    if len(prefix) > _LONGEST_PREFIX:
        raise _bad(f"the prefix has more than {_LONGEST_PREFIX} characters")
    times = {name: _duration(name, options.pop(name, text)) for name, text in _TIMES.items()}
    if not all(times.values()):
        raise _bad("a time-out of 0 lets no request succeed")
    endpoint_url = _endpoint(options.pop("endpoint_url", ""))
    here = bool(endpoint_url) and names_this_machine(urlsplit(endpoint_url).hostname or "")
    replicas = tuple(region for region in options.pop("replicas", "").split(",") if region)
    read_from = options.pop("read_from", "")
    if not all(_REGION.fullmatch(region) for region in (*replicas, *([read_from] if read_from else []))):
        raise _bad("its replicas or read_from are no regions, such as eu-west-1,eu-central-1")
    if read_from and "staleness" not in options:
        raise _bad("no bound on a replica's lag is documented: read_from needs a staleness beside it")
    separate = _separate(options, prefix, elsewhere=bool(replicas or read_from))
    address = Address(
        region=parts.netloc,
        prefix=prefix,
        endpoint_url=endpoint_url,
        profile=options.pop("profile", ""),
        kms_key=options.pop("kms_key", ""),
        replicas=replicas,
        read_from=read_from,
        tags=_tags(options.pop("tags", "")),
        connect_timeout=times["connect_timeout"],
        read_timeout=times["read_timeout"],
        deadline=times["deadline"],
        staleness=_staleness(options.pop("staleness", None), here=here),
        sparing=_sparing(options.pop("quota", None), here=here),
        signing_keys=signing_keys(options, prefix, _endpoint, endpoint_url if here else ""),
        separate=separate,
    )
    if options:
        unknown = ", ".join(sorted(options))[:80]
        raise _bad(f"it has options that mean nothing: {unknown}", "see the options in docs/aws.md")
    return address


def _endpoint(url: str) -> str:
    if not url:
        return ""
    try:
        place = web_address(url)
    except BadURL as bad:
        raise _bad(f"its endpoint_url can't be used: {bad.what}") from None
    if place.query or "?" in url or "#" in url:
        raise _bad("its endpoint_url has a query or fragment")
    return url.rstrip("/")


def _staleness(text: str | None, *, here: bool) -> Milliseconds:
    if text is None:
        return STALENESS
    stated = 0 if text == "0" else _duration("staleness", text)
    if stated == 0 and not here:
        raise _bad(
            "no read of Secrets Manager is sure to be fresh: staleness=0 is for a loopback endpoint_url",
            "leave it out, or say how old a read may be: staleness=30s",
        )
    return stated


def _sparing(word: str | None, *, here: bool) -> bool:
    if word not in {None, "on", "off"}:
        raise _bad("its quota is neither on nor off", "leave it out")
    if word == "off" and not here:
        raise _bad("the service keeps its quota of versions: quota=off is for a loopback endpoint_url")
    return word != "off"


def _separate(options: dict[str, str], prefix: str, *, elsewhere: bool) -> bool:
    word = options.pop("private_halves", None)
    if word is None:
        return False
    if word != "separate":
        raise _bad("its private_halves is not separate", "write private_halves=separate")
    if "kms" in options:
        raise _bad("kms=sign leaves no private half that could be separate", "leave one of both out")
    if elsewhere:
        raise _bad(
            "no secret with replicas is deleted at once",
            "leave out private_halves, or replicas and read_from",
        )
    if len(prefix) > _LONGEST_WITH_KEYS:
        raise _bad(f"with private_halves=separate, a prefix has at most {_LONGEST_WITH_KEYS} characters")
    return True


def _tags(text: str) -> Mapping[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if any(not name or not equals or name.lower().startswith("aws:") for name, equals, _ in pairs):
        raise _bad("its tags are not written like tags=team%3Dpayments,env%3Dprod")
    return MappingProxyType({name: value for name, _, value in pairs})


def _duration(name: str, text: str) -> Milliseconds:
    try:
        return milliseconds(min(parse_duration(text), timedelta(days=1)))
    except BadDuration:
        raise _bad(
            f"its {name} is not a duration", f"write {name}=3s, or another number of s, m or h"
        ) from None


def _bad(why: str, fix: str = "write it like awssm://eu-west-1/jwt") -> BadStoreURL:
    return BadStoreURL("the awssm store URL can't be used", why=why, fix=fix)
