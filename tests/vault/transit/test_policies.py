"""With the policies that are printed, a signer only signs and a rotator lets nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

import keyvault_jwt as kj
from keyvault_jwt.cli import main
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Session, TransitStore
from keyvault_jwt_vault.address import parse_url
from keyvault_jwt_vault.auth import credentials
from keyvault_jwt_vault.errors import Denied
from tests.faulty_store import FAST
from tests.vault.transit.conftest import ISSUER, MOUNT, RING, Workshop, name

OTHER = "partners"


def printed(role: str, url: str, ring: str) -> str:
    """Return the policy as the command line prints it."""
    done = CliRunner().invoke(main, ["access", role, "--store", url, "--ring", ring])
    assert done.exit_code == 0, done.stderr
    return done.stdout


class Doors:
    """Logins by AppRole, each with the printed policy of a role and no other."""

    def __init__(self, workshop: Workshop, files: Path) -> None:
        self.workshop, self.files = workshop, files
        self._open = ExitStack()

    def session(self, role: str, ring: str) -> Session:
        """Return a session of a new login."""
        bao, login = self.workshop.bao, f"{role}-{uuid4().hex[:12]}"
        policy = printed(role, self.workshop.url, ring)
        bao.request("PUT", f"sys/policies/acl/{login}", {"policy": policy})
        at = f"auth/approle/role/{login}"
        bao.request("POST", at, {"token_policies": [login], "token_no_default_policy": True})
        role_id, secret_id = self.files / f"{login}-role", self.files / f"{login}-secret"
        role_id.write_text(bao.request("GET", f"{at}/role-id")["data"]["role_id"])
        secret_id.write_text(bao.request("POST", f"{at}/secret-id", {})["data"]["secret_id"])
        place = self.workshop.url.partition("?")[0]
        address, parameters = parse_url(
            f"{place}?auth=approle&role_id_file={role_id}&secret_id_file={secret_id}"
        )
        return self._open.enter_context(Session(address, credentials(address, parameters)))

    def enter(self, role: str, ring: str = "*") -> TransitStore:
        """Return the store as a new login sees it."""
        return TransitStore(self.session(role, ring), MOUNT)

    def close(self) -> None:
        """Let every login end."""
        self._open.close()


@pytest.fixture
def doors(workshop: Workshop, tmp_path: Path) -> Iterator[Doors]:
    """Doors to a place with two keyrings."""
    workshop.create()
    workshop.manager.create(OTHER, FAST, issuer=ISSUER)
    made = Doors(workshop, tmp_path)
    yield made
    made.close()


def denied(session: Session, *asked: tuple[str, str]) -> None:
    """Assert that a login is denied each request."""
    for method, path in asked:
        with pytest.raises(Denied):
            session.request(method, path, body={} if method == "POST" else None)


@pytest.mark.parametrize("ring", ["*", RING])
def test_a_signer_signs_and_nothing_else(doors: Doors, ring: str) -> None:
    """Its tokens are accepted; it sees no key, and rotates, configures, exports and encrypts nothing."""
    workshop = doors.workshop
    with kj.Signer(doors.enter("signer", ring), RING, clock=workshop.clock, background=False) as signer:
        assert workshop.claims(signer.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2)))
    session, key = doors.session("signer", ring), name(workshop.references[0])
    denied(
        session,
        ("GET", f"{MOUNT}/keys/{key}"),
        ("LIST", f"{MOUNT}/keys"),
        ("POST", f"{MOUNT}/keys/{key}/rotate"),
        ("POST", f"{MOUNT}/keys/{key}/config"),
        ("POST", f"{MOUNT}/keys/{key}/trim"),
        ("GET", f"{MOUNT}/export/signing-key/{key}"),
        ("GET", f"{MOUNT}/backup/{key}"),
        ("POST", f"{MOUNT}/encrypt/{key}"),
        ("POST", f"{MOUNT}/sign/another"),
    )
    other = workshop.manager.keyring(OTHER).records[0].reference or ""
    with pytest.raises(Denied) if ring == RING else ExitStack():
        doors.enter("signer", ring).sign(other, "ES256", b"x")


@pytest.mark.parametrize("ring", ["*", RING])
def test_a_rotator_rotates_and_lets_nothing_out(doors: Doors, ring: str) -> None:
    """It rotates until old versions are trimmed; it can export, back up, delete and open no key."""
    workshop = doors.workshop
    first = workshop.active.reference or ""
    workshop.manager = workshop.manages(doors.enter("rotator", ring))
    workshop.pass_by(16_000)
    assert not workshop.manager.reconcile(RING).alarms
    assert first not in workshop.references
    key = name(first)
    assert workshop.key(first)["min_available_version"] > 2
    session = doors.session("rotator", ring)
    denied(
        session,
        ("GET", f"{MOUNT}/export/signing-key/{key}"),
        ("GET", f"{MOUNT}/backup/{key}"),
        ("DELETE", f"{MOUNT}/keys/{key}"),
        ("LIST", f"{MOUNT}/keys"),
        ("POST", f"{MOUNT}/sign/{key}"),
        ("POST", f"{MOUNT}/keys/another"),
        ("POST", "sys/mounts/more"),
    )
    for opened in ({"exportable": True}, {"Exportable": True}, {"allow_plaintext_backup": True}):
        with pytest.raises(Denied):
            session.request("POST", f"{MOUNT}/keys/{key}/config", body=opened)
    with pytest.raises(Denied):
        session.request("POST", f"{MOUNT}/keys/{key}2", body={"type": "ed25519", "exportable": True})
    session.request("POST", f"{MOUNT}/keys/{key}/config?exportable=true", body={})
    told = workshop.key(first)
    assert not told["exportable"]
    assert not told["allow_plaintext_backup"]
    if ring == RING:
        denied(session, ("POST", f"{MOUNT}/keys/{key.replace(RING, OTHER)}/rotate"))


@pytest.mark.parametrize("role", ["publisher", "verifier", "auditor"])
def test_other_roles_have_no_part_in_transit(doors: Doors, role: str) -> None:
    """What is printed for them is what is printed without Transit, and Transit denies them."""
    workshop = doors.workshop
    assert MOUNT not in printed(role, workshop.url, "*")
    key = name(workshop.references[0])
    denied(doors.session(role, "*"), ("GET", f"{MOUNT}/keys/{key}"), ("POST", f"{MOUNT}/sign/{key}"))


def test_without_transit_nothing_of_it_is_granted(bao: BaoServer) -> None:
    """The policies of a store that does not sign there are as they were."""
    for role in ("rotator", "signer"):
        assert "ransit" not in printed(role, "vault://secret/jwt", "*")
