"""What can be wrong with KMS, a key in it or a reference to one, is told by a typed error."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keyvault_jwt import document
from keyvault_jwt.errors import KeyMismatch, StoreError
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt_aws.errors import Denied, ServiceFailed, Throttled
from keyvault_jwt_aws.kms.errors import (
    BadReference,
    KeyDisabled,
    KeyNotMade,
    KeyPendingDeletion,
    NoSuchKey,
    WrongKey,
)
from tests.aws.faults import THROTTLED, Answers, Breaks, Stalls
from tests.aws.kms.conftest import ISSUER, RING, Workshop, opened
from tests.aws.kms.kms_key import KmsKey
from tests.faulty_store import FAST


@pytest.fixture
def reference(workshop: Workshop) -> str:
    """The reference of a key of the keyring, which no document names."""
    return workshop.store.key_factory(RING).make("ES256").reference or ""


@pytest.fixture
def active(workshop: Workshop) -> str:
    """The reference of the key that signs."""
    workshop.create()
    return workshop.active.reference or ""


def planted(workshop: Workshop, like: str, **changes: object) -> str:
    """Put a key into KMS that differs so from the one that is named, and return a reference to it."""
    model = workshop.kms.of(like)
    facts = {"spec": model.spec, "usage": model.usage, "tags": model.tags, **changes}
    key = KmsKey(region="us-east-1", made=workshop.kms.seconds, policy="", **facts)  # type: ignore[arg-type]
    workshop.kms.keys[key.id] = key
    return like.replace(model.arn, key.arn)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: "alias/payments", "is an alias"),
        (lambda it: it.replace(":key/", ":alias/"), "is an alias"),
        (lambda it: it.partition("#")[0], "malformed"),
        (lambda it: it.rpartition("/")[2], "malformed"),
        (lambda it: "", "malformed"),
        (lambda it: it.replace("us-east-1", "eu-west-1"), "another region"),
    ],
)
def test_no_alias_and_no_other_place_is_signed_with(
    workshop: Workshop, reference: str, change: object, why: str
) -> None:
    """Aliases, bare ids and other regions' keys are refused unasked, for a signer and its start."""
    workshop.kms.requests.clear()
    other = change(reference)  # type: ignore[operator]
    with pytest.raises(BadReference, match=why):
        workshop.store.sign(other, "ES256", b"x")
    with pytest.raises(BadReference, match=why):
        workshop.store.require(RING, other, "ES256")
    assert not workshop.kms.requests


def test_a_signing_document_that_names_another_keyrings_key(workshop: Workshop, active: str) -> None:
    """Who may write one keyring's documents gets nothing signed with the key of another."""
    workshop.manager.create("users", FAST, issuer=ISSUER)
    with workshop.signer() as signer:
        assert signer.sign({"aud": "api"})
    names = {ring: DocumentName(ring, DocumentKind.SIGNING) for ring in (RING, "users")}
    found = {ring: workshop.store.read(each) for ring, each in names.items()}
    ours, theirs = (
        document.decode_signing(ring, there.draft.data) for ring, there in found.items() if there is not None
    )
    forged = document.derived_draft(DocumentKind.SIGNING, msgspec.structs.replace(ours, key=theirs.key))
    mine = found[RING]
    assert mine is not None
    workshop.store.replace(names[RING], forged, expected=mine.version)
    workshop.kms.requests.clear()
    with pytest.raises(BadReference, match="not this keyring's"), workshop.signer() as signer:
        signer.sign({"aud": "api"})
    assert workshop.kms.count()["Sign"] == 0


@pytest.mark.parametrize("keyring", ["", "other/payments", "payments", "{place}/eu/payments", "{place}"])
def test_keys_of_no_keyring_of_this_place(workshop: Workshop, reference: str, keyring: str) -> None:
    """A key that is tagged as another place's, or not at all, never signs."""
    place = workshop.keyring_tag.removesuffix(f"/{RING}")
    key = workshop.kms.of(reference)
    key.tags["keyvault-jwt-keyring"] = keyring.format(place=place)
    with opened(workshop.url) as store, pytest.raises(BadReference, match="not this keyring's"):
        store.sign(reference, "ES256", b"x")
    assert workshop.kms.count()["Sign"] == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"spec": "RSA_3072"}, "RSA_3072 for SIGN_VERIFY"),
        ({"spec": "ECC_SECG_P256K1"}, "ECC_SECG_P256K1"),
        ({"usage": "KEY_AGREEMENT"}, "for KEY_AGREEMENT"),
        ({}, "another one than it was made with"),
    ],
)
def test_keys_that_do_not_fit(
    workshop: Workshop, reference: str, changes: dict[str, object], why: str
) -> None:
    """A key of another spec, usage or public half than the record's is refused before anything is signed."""
    other = planted(workshop, reference, **changes)
    with pytest.raises(WrongKey, match=why):
        workshop.store.sign(other, "ES256", b"x")
    assert workshop.kms.count()["Sign"] == 0


def test_a_public_half_of_another_kind(workshop: Workshop, reference: str) -> None:
    """A key that says P-256 and is P-384 does not get as far as signing."""
    workshop.kms.of(reference).private = ec.generate_private_key(ec.SECP384R1())
    with opened(workshop.url) as store, pytest.raises(WrongKey, match="of another kind"):
        store.sign(reference, "ES256", b"x")


def test_another_algorithm_than_the_keys(workshop: Workshop) -> None:
    """One key, one algorithm: an RS256 key does not sign PS256, though KMS would."""
    reference = workshop.store.key_factory(RING).make("RS256").reference or ""
    with pytest.raises(WrongKey, match="its tag says 'RS256'"):
        workshop.store.sign(reference, "PS256", b"x")


def disabled(key: KmsKey) -> None:
    key.state = "Disabled"


def going(key: KmsKey) -> None:
    key.state = "PendingDeletion"


def gone(key: KmsKey) -> None:
    key.id = "gone"


@pytest.mark.parametrize(
    ("spoil", "error", "fix"),
    [
        (disabled, KeyDisabled, "aws kms enable-key --key-id arn:"),
        (going, KeyPendingDeletion, "aws kms cancel-key-deletion --key-id arn:"),
        (gone, NoSuchKey, "`revoke` the key"),
    ],
)
def test_keys_in_a_state_that_signs_nothing(
    workshop: Workshop, active: str, spoil: object, error: type[StoreError], fix: str
) -> None:
    """A signer that knows the key, one that does not, and the rotator's first pass are told, with the fix."""
    workshop.store.sign(active, "ES256", b"x")
    spoil(workshop.kms.of(active))  # type: ignore[operator]
    with pytest.raises(error) as known:
        workshop.store.sign(active, "ES256", b"x")
    assert fix in known.value.fix
    with opened(workshop.url) as store, pytest.raises(error):
        store.sign(active, "ES256", b"x")
    alarms = workshop.manages(workshop.store).reconcile(RING).alarms
    assert error.code in alarms[-1]


def test_denied_and_allowed_again(workshop: Workshop, active: str) -> None:
    """A right that is taken away mid-run is named, and what it stopped goes on when it is back."""
    with workshop.signer() as signer:
        assert signer.sign({"aud": "api"})
        workshop.kms.denied = {"Sign"}
        with pytest.raises(Denied, match="kms:Sign on arn:") as caught:
            signer.sign({"aud": "api"})
        assert "grant kms:Sign" in caught.value.fix
        workshop.kms.denied = set()
        assert signer.sign({"aud": "api"})


def test_no_keys_pile_up_while_a_right_is_missing(workshop: Workshop, active: str) -> None:
    """A key whose public half may not be read is kept for the next pass: none is made beside it."""
    workshop.kms.denied = {"GetPublicKey"}
    before = len(workshop.kms.keys)
    for _ in range(4):
        with pytest.raises(Denied, match="kms:GetPublicKey"):
            workshop.store.key_factory(RING).make("ES256")
        workshop.manager.reconcile(RING)  # reads what later passes begin on, and has nothing to do
    assert len(workshop.kms.keys) == before + 1
    workshop.kms.denied = {"CreateKey"}
    made = workshop.store.key_factory(RING).make("ES256")
    assert workshop.kms.of(made.reference).state == "Enabled"
    with pytest.raises(Denied, match="kms:CreateKey"):
        workshop.store.key_factory(RING).make("ES256")


def test_throttling_is_waited_out_within_the_deadline(workshop: Workshop, reference: str) -> None:
    """A burst is repeated by the SDK; one that does not end is told."""
    workshop.kms.next("Sign", THROTTLED, THROTTLED)
    assert workshop.store.sign(reference, "ES256", b"x")
    workshop.kms.next("Sign", *[THROTTLED] * 9)
    with opened(workshop.url.replace("deadline=60s", "deadline=1s")) as store, pytest.raises(Throttled):
        store.sign(reference, "ES256", b"x")


@pytest.mark.parametrize(
    "fault", [Breaks(True), Breaks(False), Stalls(True), Answers("KMSInternalException", status=500)]
)
@pytest.mark.parametrize("operation", ["Sign", "GetPublicKey", "ListResourceTags"])
def test_lost_answers_to_what_may_be_asked_twice(
    workshop: Workshop, reference: str, operation: str, fault: Breaks
) -> None:
    """A signer does not notice that KMS's answer was lost once."""
    workshop.kms.next(operation, fault)
    with opened(workshop.url.replace("read_timeout=20s", "read_timeout=1s")) as store:
        assert store.sign(reference, "ES256", b"x")


def test_a_signature_by_another_key_is_not_given_out(workshop: Workshop, active: str) -> None:
    """What KMS answers is verified with the published public half first."""
    with workshop.signer() as signer:
        assert signer.sign({"aud": "api"})
        workshop.kms.of(active).private = ec.generate_private_key(ec.SECP256R1())
        with pytest.raises(KeyMismatch, match="no signature by"):
            signer.sign({"aud": "api"})


def test_answers_that_are_none(workshop: Workshop, reference: str) -> None:
    """A page that is no answer of KMS's is not taken for a signature, a key or a public half."""
    nonsense = Answers("nonsense", status=200)
    for operation in ("Sign", "GetPublicKey", "ListResourceTags"):
        workshop.kms.next(operation, nonsense)
        with opened(workshop.url) as store, pytest.raises(ServiceFailed, match="something else than KMS"):
            store.sign(reference, "ES256", b"x")
    workshop.kms.next("CreateKey", nonsense)
    with pytest.raises(ServiceFailed, match="something else than KMS"):
        workshop.store.key_factory(RING).make("ES256")


def test_a_signature_of_another_form_is_none(workshop: Workshop, reference: str) -> None:
    """What is no DER, though it comes from the right key, is not handed on."""
    workshop.kms.of(reference).sign = lambda *what: b"no DER"  # type: ignore[method-assign]
    with pytest.raises(ServiceFailed, match="no ECDSA_SHA_256 signature"):
        workshop.store.sign(reference, "ES256", b"x")


def test_a_public_half_that_is_none(workshop: Workshop, reference: str) -> None:
    """A key whose public half can't be read signs nothing."""
    workshop.kms.of(reference).public = lambda: b"no DER"  # type: ignore[method-assign]
    with opened(workshop.url) as store, pytest.raises(ServiceFailed, match="no public half"):
        store.sign(reference, "ES256", b"x")


@pytest.mark.parametrize(
    "refusal",
    [
        "LimitExceededException",
        "MalformedPolicyDocumentException",
        "UnsupportedOperationException",
        "ValidationException",
    ],
)
def test_keys_that_kms_does_not_make(workshop: Workshop, refusal: str) -> None:
    """A quota, a policy or a spec that the region lacks stops `create` before anything is written."""
    workshop = Workshop(workshop.kms, workshop.url.replace("deadline=60s", "deadline=1s"))
    workshop.kms.next("CreateKey", *[Answers(refusal)] * 5)  # the SDK repeats some of them
    with pytest.raises(KeyNotMade, match=refusal):
        workshop.create()
    assert workshop.store.names() == []


def test_the_key_policy_of_a_file(workshop: Workshop, tmp_path: Path) -> None:
    """New keys get the policy that the URL names, and none is made without the file."""
    policy = tmp_path / "policy.json"
    with opened(f"{workshop.url}&kms_policy={policy}") as store:
        with pytest.raises(KeyNotMade, match="can't be read"):
            store.key_factory(RING).make("ES256")
        policy.write_text('{"Version": "2012-10-17", "Statement": []}')
        made = store.key_factory(RING).make("ES256")
    assert workshop.kms.of(made.reference).policy == policy.read_text()


def test_a_key_that_is_not_everywhere_yet(workshop: Workshop) -> None:
    """KMS is eventually consistent: a key that is not there yet is asked for again."""
    workshop.kms.unseen = 3
    workshop.create()
    assert len(workshop.kms.keys) == 3
    assert workshop.claims(workshop.token())["sub"] == "u1"
