"""What the options of a store URL may say."""

from __future__ import annotations

import pytest

from keyvault_jwt.errors import BadStoreURL
from keyvault_jwt_vault.address import Address
from keyvault_jwt_vault.auth import METHODS, credentials

WHERE = Address(server="http://127.0.0.1:1", mount="secret")
NEEDED = {"kubernetes": {"role": "r"}, "userpass": {"username": "u"}}


@pytest.mark.parametrize("method", METHODS)
def test_each_method_opens_without_a_request(method: str) -> None:
    """With what it needs each method opens, though no server is there, and shows where it reads from."""
    with_needed = {"auth": method} | NEEDED.get(method, {})
    assert repr(credentials(WHERE, with_needed)).startswith("TokenKeeper(")


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_option_is_refused_with_the_known_ones(method: str) -> None:
    """A misspelt option is named without its value, and the known ones are listed."""
    options = {"auth": method, "rolle": "s3cret-value"} | NEEDED.get(method, {})
    with pytest.raises(BadStoreURL, match="rolle") as refused:
        credentials(WHERE, options)
    assert "its options are" in str(refused.value)
    assert "s3cret-value" not in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {"auth": "ldap"},
        {"auth": "kubernetes"},
        {"auth": "kubernetes", "role": ""},
        {"auth": "userpass"},
        {"auth": "approle", "auth_mount": "../sys"},
        {"auth": "approle", "secret_id_file": "a", "wrapped_secret_id_file": "b"},
        {"auth": "jwt", "jwt_file": "a", "jwt_variable": "B"},
        {"auth": "jwt", "jwt_from": "elsewhere"},
        {"auth": "jwt", "audience": "https://vault"},
        {"auth": "jwt", "jwt_variable": "s3cret-value"},
        {"auth": "aws", "region": "evil.example/"},
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, str]) -> None:
    """A method that is not there, an option that is missing, empty, malformed or twice is an error."""
    with pytest.raises(BadStoreURL) as refused:
        credentials(WHERE, options)
    assert "s3cret-value" not in str(refused.value)
