"""Native rotation, step by step, beside other writers: what AWS documents holds, and so do our rules."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import BadStoreURL, ForeignDocument, InvariantBroken, KeyvaultJWTError, NoReadyKey
from keyvault_jwt.keys import KeyState
from keyvault_jwt_aws import open_url
from keyvault_jwt_aws.errors import BadRotation, Denied, OutOfTime, RotationOvertaken, Throttled, WrongRegion
from keyvault_jwt_aws.rotation_lambda import handler
from tests.aws.documented_secret import CURRENT, PENDING, Refused
from tests.aws.faults import THROTTLED, Answers, Breaks
from tests.aws.machine import RING
from tests.aws.rotation.conftest import Begin
from tests.aws.rotation.rotating import STEPS, Context, Rotating
from tests.docs.markdown import ROOT

KEY = "AKIAIOSFODNN7EXAMPLE"


def test_a_rotation(rotating: Rotating) -> None:
    """The version under the token is current, AWSPENDING is gone, and tokens of both keys are taken."""
    before, old, token = rotating.active, rotating.token(), str(uuid4())
    assert rotating.rotate(token)
    assert rotating.secret.holder(CURRENT) == token
    assert rotating.secret.holder(PENDING) is None
    assert rotating.active != before
    assert rotating.accepts(old)
    assert rotating.accepts(rotating.token())
    assert rotating.failures == []


def test_each_step_repeated(rotating: Rotating) -> None:
    """Every step invoked twice, and all four again when all is over, rotate once."""
    before, token = len(rotating.keyring.ledger.entries), str(uuid4())
    rotating.begin(token)
    for step in STEPS:
        rotating.invoke(step, token)
        rotating.invoke(step, token)
    for step in STEPS:
        assert rotating.invoke(step, token) == "done before"
    rotating.manager.reconcile(RING)
    for step in STEPS:
        assert rotating.invoke(step, token) == "done before"
    entries = rotating.keyring.ledger.entries[before:]
    assert [entry.action for entry in entries].count("promoted") == 1
    assert rotating.failures == []


def _reconcile(rotating: Rotating) -> None:
    rotating.manager.reconcile(RING)


def _change(rotating: Rotating) -> None:
    rotating.manager.change_policy(RING, kj.RotationPolicy(rotate_every="40d"))


def _revoke(rotating: Rotating) -> None:
    rotating.manager.revoke(RING, rotating.active, reason="leaked")


@pytest.mark.parametrize("after", [STEPS[0], STEPS[2]])
def test_an_idle_scheduler_between_any_two_steps(rotating: Rotating, after: str) -> None:
    """A scheduler whose pass finds nothing to do, or only stamps after the move, disturbs no rotation."""
    before = rotating.active
    assert rotating.rotate(then=lambda done: _reconcile(rotating) if done == after else None)
    assert rotating.active != before


@pytest.mark.parametrize("write", [_change, _revoke])
@pytest.mark.parametrize("after", [STEPS[0], STEPS[2]])
def test_a_write_between_the_steps_is_not_undone(
    rotating: Rotating, after: str, write: Callable[[Rotating], None]
) -> None:
    """What others commit after the decision stays, the rotation fails, and the next one goes on from it."""
    written: list[str] = []

    def disturb(done: str) -> None:
        if done == after:
            write(rotating)
            written.append(rotating.active)

    before = rotating.active
    assert not rotating.rotate(then=disturb)
    assert isinstance(rotating.failures[0], RotationOvertaken)
    assert rotating.secret.holder(PENDING) is None
    assert rotating.active == written[0]
    if write is _revoke:
        assert rotating.keyring.record(before).state is KeyState.COMPROMISED
    else:
        assert rotating.keyring.policy.rotate_every.days == 40
        assert rotating.rotate()


@pytest.mark.parametrize("at", ["GetSecretValue", "UpdateSecretVersionStage"])
def test_a_revoke_within_finish(rotating: Rotating, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Even one that lands after the last look at the labels is not undone: the move names the parent."""
    before, token = rotating.active, str(uuid4())
    rotating.begin(token)
    for step in STEPS[:3]:
        rotating.invoke(step, token)
    asked, looked = rotating.strict.answer, []

    def answer(
        operation: str, fields: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, dict[str, object]]:
        if operation == at and not looked:
            looked.append(operation)
            _revoke(rotating)
        return asked(operation, fields, headers)

    monkeypatch.setattr(rotating.strict, "answer", answer)
    with pytest.raises(RotationOvertaken):
        rotating.invoke("finishSecret", token)
    monkeypatch.undo()
    assert looked
    assert rotating.keyring.record(before).state is KeyState.COMPROMISED


def test_no_standby_is_ready(rotating: Rotating) -> None:
    """A rotation that the policy does not allow yet says when, and leaves nothing behind."""
    assert rotating.rotate()
    rotating.manager.reconcile(RING)
    before = rotating.keyring
    assert not rotating.rotate()
    assert isinstance(rotating.failures[0], InvariantBroken | NoReadyKey)
    assert rotating.secret.holder(PENDING) is None
    assert rotating.keyring == before


@pytest.mark.parametrize("step", [STEPS[0], STEPS[3]])
def test_throttled(rotating: Rotating, step: str) -> None:
    """What fails for the moment keeps AWSPENDING, and the same token's next try goes on."""
    token = str(uuid4())
    rotating.begin(token)
    for earlier in STEPS[: STEPS.index(step)]:
        rotating.invoke(earlier, token)
    rotating.strict.next("DescribeSecret", *[THROTTLED] * 9)
    with pytest.raises(Throttled):
        rotating.invoke(step, token)
    rotating.strict.script.clear()
    assert rotating.secret.holder(PENDING) == token
    assert rotating.take_steps(token)
    assert rotating.secret.holder(CURRENT) == token


@pytest.mark.parametrize("fault", [Breaks(True), Answers("InternalServiceError", status=500)])
@pytest.mark.parametrize(
    ("operation", "lost"),
    [("PutSecretValue", 0), ("UpdateSecretVersionStage", 0)],
)
def test_lost_answers(rotating: Rotating, operation: str, lost: int, fault: Breaks | Answers) -> None:
    """Whichever request's answer is lost, carried out or not, the rotation ends well, and once."""
    before, token = len(rotating.keyring.ledger.entries), str(uuid4())
    rotating.strict.next(operation, *[None] * lost, fault)
    assert rotating.rotate(token)
    assert not rotating.strict.script[operation]
    entries = rotating.keyring.ledger.entries[before:]
    assert [entry.action for entry in entries].count("promoted") == 1


@pytest.mark.parametrize(
    ("operation", "step"),
    [
        ("PutSecretValue", "createSecret"),
        ("ListSecretVersionIds", "createSecret"),
        ("GetSecretValue", "testSecret"),
        ("UpdateSecretVersionStage", "finishSecret"),
    ],
)
def test_denied_midway(rotating: Rotating, operation: str, step: str) -> None:
    """Rights that are taken away fail the step, and the rotation after they are back goes on."""
    before, token = rotating.active, str(uuid4())
    rotating.begin(token)
    for earlier in STEPS[: STEPS.index(step)]:
        rotating.invoke(earlier, token)
    rotating.strict.grants.limit(KEY, lambda asked, name, fields: asked != operation)
    with pytest.raises(Denied):
        rotating.invoke(step, token)
    rotating.strict.grants.limit(KEY, lambda asked, name, fields: True)
    assert rotating.active == before
    rotating.rotate()
    assert rotating.active != before


def test_a_stuck_rotation(rotating: Rotating) -> None:
    """Another cannot begin before it; taken up after others wrote, it is given up, and the next goes on."""
    stuck, before = str(uuid4()), rotating.active
    rotating.begin(stuck)
    rotating.invoke("createSecret", stuck)
    _change(rotating)
    with pytest.raises(Refused, match="previous rotation"):
        rotating.begin(str(uuid4()))
    assert rotating.rotate()
    assert [type(it) for it in rotating.failures][:1] == [RotationOvertaken]
    assert rotating.active != before
    assert rotating.secret.holder(PENDING) is None


def test_the_schedule_releases_what_is_stuck(rotating: Rotating) -> None:
    """The function's own schedule does what is due, and releases a candidate that was overtaken."""
    stuck = str(uuid4())
    rotating.begin(stuck)
    rotating.invoke("createSecret", stuck)
    assert rotating.invoke("reconcile", "") == "reconciled"
    assert rotating.secret.holder(PENDING) == stuck
    _change(rotating)
    assert rotating.invoke("reconcile", "") == "reconciled"
    assert rotating.secret.holder(PENDING) is None


def test_a_token_used_again(rotating: Rotating) -> None:
    """An old token rotates nothing: not one that landed, and not one that was given up."""
    landed, given_up = str(uuid4()), str(uuid4())
    rotating.begin(given_up)
    rotating.invoke("createSecret", given_up)
    _change(rotating)
    assert not rotating.take_steps(given_up)
    assert rotating.rotate(landed)
    rotating.manager.reconcile(RING)
    after = rotating.active
    assert rotating.invoke("createSecret", landed) == "done before"
    with pytest.raises(BadRotation):
        rotating.invoke("createSecret", given_up)
    assert rotating.active == after


@pytest.mark.parametrize("document", ["a password", json.dumps({"username": "u", "password": "p"})])
def test_a_foreign_candidate(rotating: Rotating, document: str) -> None:
    """A pending version that another program wrote is refused, unquoted, and released."""
    token = str(uuid4())
    rotating.begin(token)
    asked = {"SecretId": rotating.name, "SecretString": document, "ClientRequestToken": token}
    status, _ = rotating.strict.answer(
        "PutSecretValue", asked | {"VersionStages": [PENDING]}, rotating.strict.unsigned("us-east-1")
    )
    assert status == 200
    with pytest.raises(ForeignDocument) as refused:
        rotating.invoke("createSecret", token)
    assert document not in str(refused.value)
    assert rotating.secret.holder(PENDING) is None


def test_rotation_is_off(rotating: Rotating) -> None:
    """A cancelled rotation's steps are refused."""
    rotating.secret.rotates = False
    with pytest.raises(BadRotation, match="rotation is off"):
        rotating.invoke("createSecret", str(uuid4()))


def test_a_token_that_is_not_staged(rotating: Rotating) -> None:
    """A step under a token that bears neither label is refused: AWS's contract of rotation functions."""
    with pytest.raises(BadRotation, match="AWSPENDING"):
        rotating.invoke("finishSecret", str(uuid4()))


def _with(rotating: Rotating, **fields: object) -> dict[str, object]:
    return rotating.event("createSecret", str(uuid4())) | fields


BAD_EVENTS: dict[str, tuple[Callable[[Rotating], object], type[KeyvaultJWTError]]] = {
    "no event": (lambda _: None, BadRotation),
    "no step": (lambda it: _with(it, Step=None), BadRotation),
    "an unknown step": (lambda it: _with(it, Step="dropSecret"), BadRotation),
    "a short token": (lambda it: _with(it, ClientRequestToken="short"), BadRotation),
    "a token that is no text": (lambda it: _with(it, ClientRequestToken=[1]), BadRotation),
    "no secret": (lambda it: _with(it, SecretId=None), BadRotation),
    "another prefix": (lambda it: _with(it, SecretId="other/payments/authority"), BadRotation),
    "another document": (
        lambda it: _with(it, SecretId=it.name.replace("/authority", "/signing")),
        BadRotation,
    ),
    "another region": (
        lambda it: _with(it, SecretId=it.arn.replace("us-east-1", "eu-west-1")),
        WrongRegion,
    ),
    "another account": (
        lambda it: _with(it, SecretId=it.arn.replace(it.arn.split(":")[4], "999999999999")),
        BadRotation,
    ),
}


def test_bad_events(rotating: Rotating) -> None:
    """An event that asks for no rotation of this store's is refused with the fix, and nothing is written."""
    before = rotating.secret.labels()
    for case, (event, expected) in BAD_EVENTS.items():
        with pytest.raises(KeyvaultJWTError) as refused:
            handler(event(rotating), Context())
        assert type(refused.value) is expected, case
        assert refused.value.fix, case
    assert rotating.secret.labels() == before


def test_another_store(rotating: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function whose store is none in Secrets Manager says so."""
    monkeypatch.setenv("KEYVAULT_JWT_STORE", "memory:")
    with pytest.raises(BadStoreURL, match="Secrets Manager"):
        handler(rotating.event("createSecret", str(uuid4())), Context())


def test_no_time_is_left(rotating: Rotating) -> None:
    """No request begins that could not end before Lambda ends the function; the next try goes on."""
    token = str(uuid4())
    rotating.begin(token)
    with pytest.raises(OutOfTime):
        handler(rotating.event("createSecret", token), Context(left=1_000))
    assert rotating.secret.holder(PENDING) == token
    assert rotating.take_steps(token)


def test_what_is_logged_and_raised(rotating: Rotating, capsys: pytest.CaptureFixture[str]) -> None:
    """Each step is one line of JSON; neither it nor an error's text or chain holds a document's secrets."""
    assert rotating.rotate()
    rotating.invoke("reconcile", "")
    assert not rotating.rotate()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    steps = [line["step"] for line in lines if line["event"].startswith("rotation.") and "step" in line]
    assert [*STEPS, "reconcile"] == steps[:5]
    assert any(line["event"] == "rotation.age" and line["seconds"] >= 0 for line in lines)
    failed = [line for line in lines if line["event"] == "rotation.failed"]
    assert failed
    assert all(line["alarm"] and line["code"] and line["fix"] for line in failed)
    error = rotating.failures[0]
    assert error.__cause__ is None
    assert error.__context__ is None
    halves = [record.private for record in rotating.keyring.records if record.private]
    assert halves
    shown = json.dumps(lines) + str(error) + repr(error)
    assert not any(form in shown for half in halves for form in (half.hex(), b64encode(half).decode()[:40]))


def test_a_bug_is_told_without_its_text(rotating: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is not ours is named by its type alone: its text may quote a document."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("-----BEGIN PRIVATE KEY-----")

    token = str(uuid4())
    rotating.begin(token)
    monkeypatch.setattr("keyvault_jwt_aws.rotation.steps.KeyManager.rotate", broken)
    with pytest.raises(KeyvaultJWTError, match="RuntimeError") as raised:
        rotating.invoke("createSecret", token)
    assert "PRIVATE" not in str(raised.value)
    assert raised.value.__context__ is None
    assert rotating.secret.holder(PENDING) is None


def test_a_signing_document_that_was_overwritten(rotating: Rotating) -> None:
    """What must be committed first, here an alarm, does not keep the new key from signers."""
    before, token = rotating.active, str(uuid4())
    rotating.begin(token)
    for step in STEPS[:3]:
        rotating.invoke(step, token)
    signing = rotating.name.replace("/authority", "/signing")
    current, planted = rotating.strict.region().secrets[signing].holder(CURRENT), str(uuid4())
    headers = rotating.strict.unsigned("us-east-1")
    put = {"SecretId": signing, "SecretString": "a password", "ClientRequestToken": planted}
    assert rotating.strict.answer("PutSecretValue", put | {"VersionStages": ["x"]}, headers)[0] == 200
    moved = {"SecretId": signing, "VersionStage": CURRENT, "RemoveFromVersionId": current}
    moved["MoveToVersionId"] = planted
    assert rotating.strict.answer("UpdateSecretVersionStage", moved, headers)[0] == 200
    assert rotating.invoke("finishSecret", token) == "finished"
    with kj.Signer(rotating.manager.store, RING, background=False) as signer:
        assert signer.kid == rotating.active != before


def test_a_symmetric_keyring(begin: Begin) -> None:
    """A keyring of shared secrets rotates alike: its token is tested by what its verifiers may read."""
    rotating, token = begin(kj.RotationPolicy(algorithm="HS256")), str(uuid4())
    before = rotating.active
    assert rotating.rotate(token)
    assert rotating.active != before
    assert rotating.secret.holder(CURRENT) == token


def test_two_rotations_at_once(rotating: Rotating) -> None:
    """A candidate that another rotator overtakes by the same rotation is given up: one key is replaced."""
    before = rotating.active

    def rotated(done: str) -> None:
        if done == "testSecret":
            with open_url(rotating.url) as store:
                kj.KeyManager(store, listener=lambda event: None).rotate(RING)

    assert not rotating.rotate(then=rotated)
    entries = [it for it in rotating.keyring.ledger.entries if it.action == "promoted"]
    assert len(entries) == 2
    assert rotating.active != before


def test_the_requests_of_a_rotation(rotating: Rotating) -> None:
    """The four steps take as many requests as docs/aws.md says."""
    rotating.strict.requests.clear()
    assert rotating.rotate()
    asked = [operation for operation, _ in rotating.strict.requests if operation != "RotateSecret"]
    page = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    assert f"| requests of a rotation by the rotation Lambda | {len(asked)} |" in page
