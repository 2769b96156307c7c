"""Kubernetes on a real server, which asks a stand-in for the cluster's TokenReview API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keyvault_jwt_vault.auth.errors import CredentialsMissing, LoginRefused
from tests.vault.auth.bao import Bao
from tests.vault.auth.conftest import Opened
from tests.vault.auth.stand_in import Asked, StandIn, Told

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


class Cluster:
    """Knows one service account's tokens, and has a mount that asks it about them."""

    def __init__(self, bao: Bao) -> None:
        self.good: set[str] = set()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.api = StandIn(self._review)
        self.mount = bao.mount("kubernetes")
        config = {
            "kubernetes_host": self.api.url,
            "kubernetes_ca_cert": bao.authority.file.read_text(),
            "disable_local_ca_jwt": True,
        }
        bao.ask("POST", f"auth/{self.mount}/config", config)
        role = {
            "bound_service_account_names": ["signer"],
            "bound_service_account_namespaces": ["prod"],
            "token_policies": ["reader"],
        }
        bao.ask("POST", f"auth/{self.mount}/role/signer", role)

    @property
    def parameters(self) -> dict[str, str]:
        return {"auth": "kubernetes", "auth_mount": self.mount, "role": "signer"}

    def token(self, name: str) -> str:
        account = {"name": "signer", "uid": "uid-1"}
        claims = {
            "sub": "system:serviceaccount:prod:signer",
            "jti": name,
            "kubernetes.io": {"namespace": "prod", "serviceaccount": account},
        }
        token = jwt.encode(claims, self._key, algorithm="ES256")
        self.good.add(token)
        return token

    def _review(self, asked: Asked) -> Told:
        if asked.path != REVIEWS:
            return Told(404)
        known = asked.json()["spec"]["token"] in self.good
        user = {"username": "system:serviceaccount:prod:signer", "uid": "uid-1", "groups": []}
        status = {"authenticated": True, "user": user} if known else {"authenticated": False, "error": "no"}
        return Told(201, {"kind": "TokenReview", "status": status})


@pytest.fixture
def cluster(bao: Bao) -> Iterator[Cluster]:
    """Yield a cluster that the server asks."""
    cluster = Cluster(bao)
    yield cluster
    cluster.api.stop()


def test_the_service_accounts_token_is_read_at_each_login(
    bao: Bao, cluster: Cluster, opened: Opened, tmp_path: Path
) -> None:
    """The kubelet's file logs in; after it rotated and the token was revoked, its new content does."""
    file = tmp_path / "token"
    file.write_text(first := cluster.token("first"))
    access = opened(cluster.parameters | {"jwt_file": str(file)})
    token = access.token()
    assert bao.status(token) == 200
    file.write_text(second := cluster.token("second"))
    cluster.good.discard(first)
    bao.ask("POST", "auth/token/revoke", {"token": token})
    assert access.refused(token)
    assert bao.status(access.token()) == 200
    assert [asked.json()["spec"]["token"] for asked in cluster.api.asked] == [first, second]


def test_a_token_of_another_cluster_is_not_taken(cluster: Cluster, opened: Opened, tmp_path: Path) -> None:
    """A token that the cluster does not know is refused; the error names the role and the file."""
    file = tmp_path / "token"
    file.write_text(token := cluster.token("gone"))
    cluster.good.clear()
    with pytest.raises(LoginRefused, match="the role signer") as refused:
        opened(cluster.parameters | {"jwt_file": str(file)}).token()
    assert str(file) in str(refused.value)
    assert token not in str(refused.value)


def test_outside_a_pod_the_missing_file_is_named(cluster: Cluster, opened: Opened, tmp_path: Path) -> None:
    """Without the file there is nothing to log in with."""
    with pytest.raises(CredentialsMissing, match="token-file"):
        opened(cluster.parameters | {"jwt_file": str(tmp_path / "token-file")}).token()
    assert not cluster.api.asked


def test_a_cluster_that_is_away_is_one_of_the_reasons(
    cluster: Cluster, opened: Opened, tmp_path: Path
) -> None:
    """The server answers alike when it can't reach the cluster, so the error names that, too."""
    (tmp_path / "token").write_text(cluster.token("first"))
    cluster.api.stop()
    with pytest.raises(LoginRefused, match="reaches the cluster's API"):
        opened(cluster.parameters | {"jwt_file": str(tmp_path / "token")}).token()
