"""What is left of a version that was replaced: nothing that opens, whoever dies and whoever is late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from keyvault_jwt.errors import Conflict, CorruptDocument, StoreTimeout
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt_aws import AwsStore, SeparateStore, open_url
from keyvault_jwt_aws.errors import Denied, KeyOfVersionGone, SealedDocument
from tests.aws.documented_secret import CURRENT, PREVIOUS
from tests.aws.faults import Answers, Breaks
from tests.aws.machine import RING
from tests.aws.separate.remains import Remains
from tests.aws.strict_secretsmanager import StrictSecretsManager

AUTHORITY = DocumentName(RING, DocumentKind.AUTHORITY)
SIGNING = DocumentName(RING, DocumentKind.SIGNING)
VERIFICATION = DocumentName(RING, DocumentKind.VERIFICATION)
PRIVATE = pytest.mark.parametrize("name", [AUTHORITY, SIGNING, VERIFICATION], ids=lambda it: it.kind.value)
KEY = "AKIAIOSFODNN7EXAMPLE"
DENIED = Answers("AccessDeniedException", "not authorized")


def draft(number: int, canary: str = "") -> Draft:
    """Return a draft of a write of its own, with something in it that can be looked for."""
    return Draft(f"canary-{canary or number}-{uuid4()}".encode(), number, uuid4())


@PRIVATE
def test_what_was_replaced_can_not_be_read(
    store: SeparateStore, remains: Remains, name: DocumentName
) -> None:
    """Of four versions that Secrets Manager keeps, the current one alone opens, by any key there is."""
    version, last = None, draft(1)
    for number in range(1, 5):
        last = draft(number)
        version = store.replace(name, last, expected=version)
    assert len(remains.stored(name)) == 4
    assert remains.readable(name) == {version: last.data}
    assert remains.keys(name) == {version}
    assert b"canary" not in remains.everything()


@pytest.mark.parametrize("kind", [DocumentKind.PUBLIC, DocumentKind.ARCHIVE])
def test_what_is_not_private_is_not_sealed(
    store: SeparateStore, remains: Remains, kind: DocumentKind
) -> None:
    """Documents without private halves stay as readable as without the option."""
    name = DocumentName(RING, kind)
    store.replace(name, draft(1), expected=None)
    assert not remains.keys(name)
    assert b"canary-1" in remains.everything()


def test_an_idle_reader_asks_once(
    store: SeparateStore, separate_url: str, strict: StrictSecretsManager
) -> None:
    """A new version costs a reader one request more, for its key; while there is none, a poll is one Get."""
    version = store.replace(SIGNING, draft(1), expected=None)
    with open_url(separate_url) as reader:
        strict.requests.clear()
        for _ in range(3):
            assert reader.read(SIGNING) is not None
        assert strict.count() == {"GetSecretValue": 4}
        store.replace(SIGNING, draft(2), expected=version)
        strict.requests.clear()
        assert reader.read(SIGNING) is not None
        assert strict.count() == {"GetSecretValue": 2}


def rival_at(store: SeparateStore, operation: str, rival: Callable[[], object]) -> SeparateStore:
    """Let `rival` come between, once, just before the store's next request of that operation."""
    service, waiting = store.service, [rival]
    asked = service.request

    def request(told: str, *arguments: object, **options: object) -> object:
        if told == operation and waiting:
            waiting.pop()()
        return asked(told, *arguments, **options)  # type: ignore[arg-type]

    service.request = request  # type: ignore[assignment, method-assign]
    return store


@pytest.mark.parametrize("operation", ["create_secret", "put_secret_value", "update_secret_version_stage"])
@pytest.mark.parametrize("hours", [0, 30])
def test_a_writer_that_is_late(
    store: SeparateStore,
    separate_url: str,
    remains: Remains,
    *,
    operation: str,
    hours: int,
) -> None:
    """Whoever stopped amid a write, for a day even, loses; the next write makes an end of its key."""
    first = store.replace(AUTHORITY, draft(1), expected=None)
    won: list[Version] = []

    def others() -> None:
        remains.age(hours / 2)
        with open_url(separate_url) as other:
            won.append(other.replace(AUTHORITY, draft(2, "won"), expected=first))
            remains.age(hours / 2)
            won.append(other.replace(AUTHORITY, draft(3, "won again"), expected=won[0]))

    late = draft(2, "late")
    with pytest.raises(Conflict):
        rival_at(store, operation, others).replace(AUTHORITY, late, expected=first)
    assert remains.secret(AUTHORITY).holder(CURRENT) == won[1]
    remains.age(hours / 2)
    final = draft(4)
    last = store.replace(AUTHORITY, final, expected=won[1])
    assert remains.readable(AUTHORITY) == {last: final.data}


def test_a_repeated_write_that_was_overtaken(
    store: SeparateStore, separate_url: str, remains: Remains, strict: StrictSecretsManager
) -> None:
    """A write that is repeated after others gave its version up makes no key anew."""
    first = store.replace(AUTHORITY, draft(1), expected=None)
    mine = draft(2, "mine")
    with open_url(f"{separate_url}&deadline=1s") as quick:
        strict.next("UpdateSecretVersionStage", Breaks(carried_out=False))
        with pytest.raises(StoreTimeout):
            quick.replace(AUTHORITY, mine, expected=first)
        second = store.replace(AUTHORITY, draft(2, "won"), expected=first)
        assert remains.keys(AUTHORITY) == {second}
        with pytest.raises(Conflict):
            quick.replace(AUTHORITY, mine, expected=first)
    assert remains.keys(AUTHORITY) == {second}


def test_a_key_that_is_just_being_deleted(store: SeparateStore, strict: StrictSecretsManager) -> None:
    """Its version was given up by a later one, so that the write has lost."""
    first = store.replace(AUTHORITY, draft(1), expected=None)
    strict.next("CreateSecret", Answers("InvalidRequestException", "scheduled for deletion"))
    with pytest.raises(Conflict):
        store.replace(AUTHORITY, draft(2), expected=first)
    assert strict.count()["PutSecretValue"] == 0


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_writer_that_died_before_it_deleted(
    store: SeparateStore,
    separate_url: str,
    remains: Remains,
    strict: StrictSecretsManager,
    *,
    deaths: int,
) -> None:
    """AWSPREVIOUS tells the next writer, however much later, and it deletes all that is left."""
    version = store.replace(AUTHORITY, draft(1), expected=None)
    with open_url(f"{separate_url}&deadline=1s") as dying:
        for number in range(deaths):
            strict.next("DeleteSecret", *[Breaks(carried_out=False)] * 9)
            remains.age(30)
            version = dying.replace(AUTHORITY, draft(2 + number), expected=version)
            strict.script.clear()
    assert remains.secret(AUTHORITY).holder(PREVIOUS) is not None
    assert len(remains.readable(AUTHORITY)) == 1 + deaths
    remains.age(30)
    last = draft(9)
    version = store.replace(AUTHORITY, last, expected=version)
    assert remains.readable(AUTHORITY) == {version: last.data}
    assert remains.secret(AUTHORITY).holder(PREVIOUS) is None


def test_deletions_stay_few(store: SeparateStore, strict: StrictSecretsManager, remains: Remains) -> None:
    """A write deletes the keys of versions since the one it replaces, not those of a whole history."""
    version = store.replace(SIGNING, draft(1), expected=None)
    for number in range(2, 12):
        remains.age(1)
        strict.requests.clear()
        version = store.replace(SIGNING, draft(number), expected=version)
        assert strict.count()["DeleteSecret"] == 1


@PRIVATE
def test_a_reader_between_the_move_and_the_deletion(
    store: SeparateStore, separate_url: str, strict: StrictSecretsManager, name: DocumentName
) -> None:
    """Who has read a version whose key is then deleted reads the next one."""
    version = store.replace(name, draft(1), expected=None)
    second = draft(2)
    with open_url(separate_url) as reader:
        asked = reader.service.request
        waiting = [lambda: store.replace(name, second, expected=version)]

        def request(told: str, parameters: dict[str, str], **options: object) -> object:
            if "-key-" in parameters["SecretId"] and waiting:
                waiting.pop()()
            return asked(told, parameters, **options)  # type: ignore[arg-type]

        reader.service.request = request  # type: ignore[assignment, method-assign]
        seen = reader.read(name)
    assert seen is not None
    assert seen.draft == second


def test_a_key_that_somebody_deleted(
    store: SeparateStore, separate_url: str, strict: StrictSecretsManager, remains: Remains
) -> None:
    """The document is told to be unreadable, with what to do, and never taken for absent."""
    store.replace(AUTHORITY, draft(1), expected=None)
    (key,) = remains.keys(AUTHORITY)
    name = remains.key_secret(AUTHORITY, key)
    asked = {"SecretId": name, "ForceDeleteWithoutRecovery": True}
    assert strict.answer("DeleteSecret", asked, strict.unsigned("us-east-1"))[0] == 200
    with open_url(separate_url) as reader, pytest.raises(KeyOfVersionGone, match=str(key)) as told:
        reader.read(AUTHORITY)
    assert "recover" in told.value.fix


def test_a_key_that_is_to_be_deleted_by_hand(
    store: SeparateStore, separate_url: str, strict: StrictSecretsManager, remains: Remains
) -> None:
    """A key in its recovery window is as unreadable as one that is gone."""
    store.replace(AUTHORITY, draft(1), expected=None)
    (key,) = remains.keys(AUTHORITY)
    asked = {"SecretId": remains.key_secret(AUTHORITY, key)}
    assert strict.answer("DeleteSecret", asked, strict.unsigned("us-east-1"))[0] == 200
    with open_url(separate_url) as reader, pytest.raises(KeyOfVersionGone):
        reader.read(AUTHORITY)


def test_a_rotator_that_may_not_delete_makes_no_keyring(
    store: SeparateStore, strict: StrictSecretsManager
) -> None:
    """Better none than one whose private halves would stay: nothing was made."""
    strict.next("DeleteSecret", DENIED)
    with pytest.raises(Denied, match="delete_secret"):
        store.replace(AUTHORITY, draft(1), expected=None)
    assert strict.count() == {"DeleteSecret": 1}
    assert store.read(AUTHORITY) is None


def test_deleting_fails_after_the_write_was_won(
    store: SeparateStore, strict: StrictSecretsManager, remains: Remains
) -> None:
    """The write is won all the same, as it must be told, and the next one makes up for it."""
    first = store.replace(AUTHORITY, draft(1), expected=None)
    strict.next("DeleteSecret", DENIED)
    second = store.replace(AUTHORITY, draft(2), expected=first)
    assert remains.keys(AUTHORITY) == {first, second}
    third = store.replace(AUTHORITY, draft(3), expected=second)
    assert remains.keys(AUTHORITY) == {third}


def test_a_key_that_nobody_may_delete(
    store: SeparateStore, strict: StrictSecretsManager, remains: Remains, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are deleted all the same, and whoever watches is told, at each write."""
    first = store.replace(AUTHORITY, draft(1), expected=None)
    kept = remains.key_secret(AUTHORITY, first)
    strict.grants.limit(KEY, lambda operation, name, asked: operation != "DeleteSecret" or name != kept)
    version = first
    for number in range(2, 5):
        caplog.clear()
        version = store.replace(AUTHORITY, draft(number), expected=version)
        assert "aws.keys-not-deleted" in caplog.text
        assert "aws_denied" in caplog.text
    assert remains.keys(AUTHORITY) == {first, version}


def test_a_lost_answer_to_the_move(
    store: SeparateStore, separate_url: str, strict: StrictSecretsManager, remains: Remains
) -> None:
    """While it is not known who is current, no key is deleted."""
    first = store.replace(AUTHORITY, draft(1), expected=None)
    second = draft(2)
    with open_url(f"{separate_url}&deadline=1s") as quick:
        strict.next("UpdateSecretVersionStage", Breaks(carried_out=True))
        with pytest.raises(StoreTimeout):
            quick.replace(AUTHORITY, second, expected=first)
        assert len(remains.keys(AUTHORITY)) == 2
        seen = quick.read(AUTHORITY)
    assert seen is not None
    assert seen.draft == second


def test_a_store_url_without_the_option(store: SeparateStore, prefix_url: str, remains: Remains) -> None:
    """It is told that the document is sealed, and what to put into its URL; it writes nothing."""
    store.replace(AUTHORITY, draft(1), expected=None)
    before = remains.everything()
    with open_url(prefix_url) as plain, pytest.raises(SealedDocument, match="sealed") as told:
        plain.read(AUTHORITY)
    assert "store URL" in told.value.fix
    assert remains.everything() == before


def test_a_keyring_from_before_the_option(store: SeparateStore, prefix_url: str, remains: Remains) -> None:
    """Documents that are not sealed are read, and sealed by their next write."""
    with open_url(prefix_url) as plain:
        assert isinstance(plain, AwsStore)
        first = plain.replace(AUTHORITY, draft(1), expected=None)
    seen = store.read(AUTHORITY)
    assert seen is not None
    second = draft(2)
    version = store.replace(AUTHORITY, second, expected=first)
    assert remains.readable(AUTHORITY)[version] == second.data
    assert remains.keys(AUTHORITY) == {version}


@pytest.mark.parametrize("from_name", [AUTHORITY, SIGNING])
def test_bytes_that_were_moved_or_changed(
    store: SeparateStore, strict: StrictSecretsManager, prefix_url: str, from_name: DocumentName
) -> None:
    """Sealed bytes open as the version of the document that they were sealed as, and no other."""
    version = store.replace(from_name, draft(1), expected=None)
    place = prefix_url.partition("us-east-1/")[2].partition("?")[0]
    asked = {"SecretId": f"{place}/{from_name}", "VersionStage": CURRENT}
    headers = strict.unsigned("us-east-1")
    held = strict.answer("GetSecretValue", asked, headers)[1]["SecretBinary"]
    key = strict.answer(
        "GetSecretValue", {**asked, "SecretId": f"{place}/{from_name}-key-{version}"}, headers
    )[1]["SecretString"]
    other = DocumentName("other", from_name.kind)
    for name, value in (
        (f"{place}/{other}", {"SecretBinary": held}),
        (f"{place}/{other}-key-{version}", {"SecretString": key}),
    ):
        made = {"Name": name, "ClientRequestToken": version, **value}
        assert strict.answer("CreateSecret", made, headers)[0] == 200
    with pytest.raises(CorruptDocument, match="does not open"):
        store.read(other)


def test_the_same_write_is_the_same_bytes(store: SeparateStore, separate_url: str, remains: Remains) -> None:
    """A write that another process repeats is one version with one key: a token may not be given twice."""
    first = store.replace(AUTHORITY, draft(1), expected=None)
    mine = draft(2)
    store.replace(AUTHORITY, mine, expected=first)
    with open_url(separate_url) as again, pytest.raises(Conflict):
        again.replace(AUTHORITY, mine, expected=first)
    assert len(remains.stored(AUTHORITY)) == 2


def test_the_largest_document(store: SeparateStore) -> None:
    """What the limits promise fits beside the first line and the seal."""
    data = bytes(store.limits.document_bytes)
    first = store.replace(AUTHORITY, Draft(data, 2**63 - 1, UUID(int=2**128 - 1)), expected=None)
    store.replace(AUTHORITY, Draft(data[:-1] + b"x", 2**63 - 1, uuid4()), expected=first)
    seen = store.read(AUTHORITY)
    assert seen is not None
    assert len(seen.draft.data) == store.limits.document_bytes


def test_many_writers_leave_one_key(store: SeparateStore, separate_url: str, remains: Remains) -> None:
    """Of four writers at once, five times, one wins, and its version opens; at last no other does."""
    version = store.replace(SIGNING, draft(1), expected=None)
    for number in range(2, 7):
        won: list[Version] = []

        def write(number: int = number, parent: Version = version, won: list[Version] = won) -> None:
            with open_url(separate_url) as mine:
                try:
                    won.append(mine.replace(SIGNING, draft(number), expected=parent))
                except Conflict:
                    return

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(won) == 1
        assert version not in remains.readable(SIGNING)
        version = won[0]
        assert version in remains.readable(SIGNING)
    last = store.replace(SIGNING, draft(99), expected=version)
    assert remains.keys(SIGNING) == {last}
