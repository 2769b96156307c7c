"""A store URL finds its provider, and never quotes what should not be in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from keyvault_jwt.errors import BadStoreURL, MissingExtra
from keyvault_jwt.store_url import open_store
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.memory import MemoryStore

CANARY = "hunter2canary"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a package of ours that offers a scheme, as pip would lay it out."""

    def installed(package: str, scheme: str, source: str) -> None:
        (tmp_path / f"{package}.py").write_text(source)
        info = tmp_path / f"{package}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[keyvault_jwt.providers]\n{scheme} = {package}:open_url\n")

    monkeypatch.syspath_prepend(tmp_path)
    return installed


@pytest.mark.parametrize("spelling", ["file:{}", "file://{}"])
def test_file_url(tmp_path: Path, spelling: str) -> None:
    """`file:DIR` and `file:///DIR` open the store in that directory."""
    store = open_store(spelling.format(tmp_path))
    assert isinstance(store, FileStore)
    assert store.path == tmp_path


@pytest.mark.parametrize(
    ("url", "path"),
    [("file:./keys", "keys"), ("file:keys", "keys"), ("file:a%20b", "a%20b"), ("file:a@b", "a@b")],
)
def test_relative_file_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, path: str) -> None:
    """A relative directory counts from where the process stands, and its name is taken as it is."""
    monkeypatch.chdir(tmp_path)
    store = open_store(url)
    assert isinstance(store, FileStore)
    assert store.path == tmp_path / path


def test_file_url_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell does not expand `~` behind `file:`, so the store does."""
    monkeypatch.setenv("HOME", str(tmp_path))
    store = open_store("file:~/keys")
    assert isinstance(store, FileStore)
    assert store.path == tmp_path / "keys"


def test_memory_url_is_a_fresh_store_each_time() -> None:
    """Two `memory:` stores share nothing."""
    first, second = open_store("memory:"), open_store("memory:")
    assert isinstance(first, MemoryStore)
    assert first is not second


def test_url_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a URL, KEYVAULT_JWT_STORE names the store."""
    monkeypatch.setenv("KEYVAULT_JWT_STORE", "memory:")
    assert isinstance(open_store(), MemoryStore)


def test_no_url_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """With neither, the error says how to name one."""
    monkeypatch.delenv("KEYVAULT_JWT_STORE", raising=False)
    with pytest.raises(BadStoreURL, match="set KEYVAULT_JWT_STORE"):
        open_store()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "keys",
        "./keys",
        "/var/lib/keys",
        ":x",
        "FILE:x",
        "1file:x",
        "redis://localhost/0",
        "file:",
        "file://host/dir",
        "file:a?b=c",
        "file:a#b",
        "file:a\0b",
        "memory:x",
        "memory://",
        "vault://[::1/x",
    ],
)
def test_url_that_names_no_store(url: str) -> None:
    """What no provider understands is one error with what to write instead."""
    with pytest.raises(BadStoreURL) as caught:
        open_store(url)
    assert caught.value.fix


@pytest.mark.parametrize(
    "url",
    [
        f"vault://root:{CANARY}@secret/keys",
        f"vault://{CANARY}@secret/keys",
        f"vault://secret/keys?auth=token&token={CANARY}",
        f"vault://secret/keys?auth=approle&secret_id={CANARY}",
        f"vault://secret/keys?vault_token={CANARY}",
        f"awssm://eu-west-1/keys?aws_secret_access_key={CANARY}",
        f"awssm://eu-west-1/keys?session_token={CANARY}",
        f"anything://host/?PASSWORD={CANARY}",
        f"file:{CANARY}?x",
        f"memory:{CANARY}",
        f"{CANARY}",
        f"nobody://host/{CANARY}",
        f"vault://[{CANARY}",
    ],
)
def test_refused_url_is_not_quoted(url: str) -> None:
    """Credentials in a URL are refused, and no refusal quotes any part that may be one."""
    with pytest.raises(BadStoreURL) as caught:
        open_store(url)
    shown = str(caught.value) + repr(caught.value) + repr(caught.value.__cause__)
    assert CANARY not in shown


@pytest.mark.parametrize(
    "query", ["auth=approle&role_id=a", "token_file=/run/t", "endpoint_url=http://localhost"]
)
def test_options_that_are_no_credentials_pass(install, query: str) -> None:
    """Options that name a role, a file or an endpoint reach the provider as they were written."""
    install("echoing_provider", "echo", "def open_url(url): return url\n")
    sys.modules.pop("echoing_provider", None)
    assert open_store(f"echo://mount/path?{query}") == f"echo://mount/path?{query}"


@pytest.mark.parametrize(
    ("url", "extra"), [("vault://secret/keys", "vault"), ("awssm://eu-west-1/keys", "aws")]
)
def test_missing_sdk_names_the_extra(url: str, extra: str) -> None:
    """Where a provider's SDK is not installed, the one error says which extra to install."""
    script = (
        "import sys; sys.modules.update(hvac=None, boto3=None)\n"
        "from keyvault_jwt import open_store\n"
        "from keyvault_jwt.errors import MissingExtra\n"
        "try: open_store(sys.argv[1])\n"
        "except MissingExtra as missing: print(missing)"
    )
    done = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, check=True)
    assert f"keyvault-jwt[{extra}]" in done.stdout


def test_missing_package_of_a_provider_is_named(install) -> None:
    """A provider of anyone's whose import fails says which package is missing."""
    install("without_sdk", "incomplete", "import a_package_that_nobody_installed\n")
    with pytest.raises(MissingExtra, match="a_package_that_nobody_installed is missing"):
        open_store("incomplete://mount/path")


def test_two_packages_for_one_scheme(install) -> None:
    """A scheme that two packages offer is refused with both names: neither is picked by chance."""
    install("first_of_two", "twice", "def open_url(url): return url\n")
    install("second_of_two", "twice", "def open_url(url): return url\n")
    with pytest.raises(BadStoreURL, match="first_of_two:open_url, second_of_two:open_url"):
        open_store("twice://x")
