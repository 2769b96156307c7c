"""The demonstration as people run it, and with members that break what was promised."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from keyvault_jwt import base64url
from keyvault_jwt.demo import TRIES, Cast, Closing, Conductor, Library, VerifierRole, View, place
from keyvault_jwt.demo.acts import RevokedInEmergency, Stage, signing_key_known
from tests.integration.cli_shell import Shell, shell_in
from tests.waiting import until

MINUTE = 60.0
PROC = Path("/proc")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell whose temporary files are its own, so that what stays is seen."""
    (tmp_path / "tmp").mkdir()
    with shell_in(tmp_path) as shell:
        shell.environment["TMPDIR"] = str(tmp_path / "tmp")
        yield shell


class References(HTMLParser):
    """Collects whatever a page would load or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts, links, and attributes that hold an address."""
        self.found += [tag] if tag in {"script", "link", "img", "iframe", "object", "a"} else []
        self.found += [name for name, _ in attrs if name in {"src", "href", "xlink:href", "style"}]


def test_a_fleet_lives_a_keys_life_and_keeps_every_promise(shell: Shell, tmp_path: Path) -> None:
    """Every scene happens, both counts are 0, strangers verify as much as we do, and nothing stays."""
    page = tmp_path / "demo.html"
    done = shell.run("demo", "--json", "--html", str(page))
    told = json.loads(done.stdout)
    assert [scene["happened"] for scene in told["scenes"]] == [True] * 7
    assert (told["refused_though_valid"], told["revoked_accepted_past_bound"]) == (0, 0)
    assert told["kept"] is True
    assert told["seconds"] < MINUTE
    assert told["issued"] > 100
    libraries = [verifier["library"] for verifier in told["verifiers"]]
    assert libraries == ["keyvault-jwt"] * 3 + ["PyJWT", "joserfc"]
    assert all(verifier["verified"] > told["issued"] for verifier in told["verifiers"])
    assert 0 < told["owed"] < told["issued"]  # those that lived while the server was away
    assert all(verifier["tried_past_bound"] >= TRIES for verifier in told["verifiers"])
    assert told["revocation"]["removed"] <= told["revocation"]["bound"]
    assert {"note"} == {name for line in done.stderr.splitlines() for name in json.loads(line)}
    assert list((tmp_path / "tmp").iterdir()) == []
    references = References()
    references.feed(page.read_text())
    assert references.found == []
    assert told["revocation"]["kid"][:8] in page.read_text()


def test_the_fleet_ends_with_its_conductor_and_shows_no_secret(shell: Shell, tmp_path: Path) -> None:
    """After kill -9 of the command no process is left; none had a key in its arguments or environment.

    Nor any other secret of the user's: what the fleet plays in is a store of its own.
    """
    shell.environment["AWS_SECRET_ACCESS_KEY"] = "the-users-own-secret"
    conductor = shell.start("demo")
    assert conductor.stderr is not None
    assert any("at work" in line for line in conductor.stderr)
    fleet = children_of(conductor.pid)
    assert len(fleet) == 11
    (key,) = (tmp_path / "tmp").glob("*/master-key/key")
    secret = key.read_text().strip()
    shown = [(PROC / str(pid) / what).read_text() for pid in fleet for what in ("cmdline", "environ")]
    assert sum("KEYVAULT_JWT_MASTER_KEY_FILE" in text for text in shown) == 5  # schedulers and signers
    assert [text for text in shown if secret in text or "the-users-own-secret" in text] == []
    conductor.kill()
    until(lambda: not any(runs(pid) for pid in fleet))


def test_ctrl_c_ends_the_fleet_in_order(shell: Shell, tmp_path: Path) -> None:
    """Exit 130, no process and no file left."""
    conductor = shell.start("demo")
    assert conductor.stderr is not None
    assert any("at work" in line for line in conductor.stderr)
    fleet = children_of(conductor.pid)
    conductor.send_signal(signal.SIGINT)
    assert conductor.wait(MINUTE) == 130
    assert not any(runs(pid) for pid in fleet)
    assert list((tmp_path / "tmp").iterdir()) == []


def children_of(parent: int) -> list[int]:
    """Return the processes that a process started and that run."""
    pids = [int(path.name) for path in PROC.iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if status_of(pid)[1:] == [str(parent)]]


def runs(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    return status_of(pid)[:1] not in ([], ["Z"])


def status_of(pid: int) -> list[str]:
    """Return a process's state and its parent; nothing if there is no such process."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return []


# --- members that break a promise ----------------------------------------------------------------


@dataclass
class Silent:
    """An audience that only remembers what it was told."""

    heard: list[str] = field(default_factory=list)

    def watch(self, view: View) -> None:
        """Look away."""

    def hear(self, at: int, text: str) -> None:
        """Remember it."""
        self.heard.append(text)


@dataclass(frozen=True)
class Breach:
    """The end of a short play: a promise was seen broken."""

    seen: Callable[[Stage], object]
    title: str = "a breach seen"

    def perform(self, stage: Stage) -> None:
        """Wait until it is seen."""
        stage.until(lambda: bool(self.seen(stage)))


@dataclass(frozen=True)
class Migrating:
    """A migration that an operator confirms though a verifier's allow-list lacks the algorithm."""

    title: str = "a migration confirmed too early"

    def perform(self, stage: Stage) -> None:
        """Migrate, and wait for nobody."""
        stage.until(lambda: stage.tally.verdicts > 0)
        for confirm in (False, True):
            manager, ring = stage.place.manager, stage.place.ring
            stage.insist(lambda: manager.migrate(ring, to="ES384", confirm=confirm))  # noqa: B023


@dataclass(frozen=True)
class Forging:
    """Another process of this machine found every verifier's port, and posts tokens of its own there."""

    answers: list[int]
    title: str = "tokens forged"

    def perform(self, stage: Stage) -> None:
        """Name a key that nobody has, and, expired, the one that signs; once every verifier knows that."""
        stage.until(lambda: signing_key_known(stage))
        active = stage.keyring.active
        assert active is not None
        for member in stage.fleet.of("verifier"):
            host, port = stage.fleet.address(member.name)
            for token in (forged("nobody", stage.now + 30_000), forged(active.kid, stage.now - 1_000)):
                answer = httpx.post(f"http://{host}:{port}/", headers={"Authorization": f"Bearer {token}"})
                self.answers.append(answer.status_code)


def forged(kid: str, expires: int) -> str:
    """Return a token that no key has signed."""
    header = base64url.encode(json.dumps({"alg": "ES256", "kid": kid}).encode())
    claims = base64url.encode(json.dumps({"jti": f"forged-{kid}", "exp": expires // 1000}).encode())
    return f"{header}.{claims}.AAAA"


def test_who_only_finds_the_ports_has_no_say_in_the_count() -> None:
    """Forged tokens make no breach, and don't take the place of the revoked key's own."""
    cast = Cast(1, 1, (VerifierRole(Library.OURS), VerifierRole(Library.PYJWT)))
    forging = Forging([])
    with place() as where:
        closing = Conductor(where, Silent(), cast=cast, acts=(forging, RevokedInEmergency())).play()
    assert forging.answers == [404] * 4
    tally = closing.view.tally
    assert tally.refused_though_valid == []
    assert all(tally.tried_by(name) >= TRIES for name, _ in closing.verifiers)
    assert {verdict.jti for _, verdict in tally.past_bound} <= tally.issued.keys()


def test_a_verifier_whose_allow_list_lacks_the_algorithm_breaks_the_count() -> None:
    """Its refusals of valid tokens are seen and told apart from the others' verdicts."""
    cast = Cast(1, 1, (VerifierRole(Library.OURS, algorithms=("ES256",)), VerifierRole(Library.JOSERFC)))
    refused = Breach(lambda stage: stage.tally.refused_though_valid)
    with place() as where:
        closing = Conductor(where, Silent(), cast=cast, acts=(Migrating(), refused)).play()
    assert not closing.kept
    breaches = closing.view.tally.refused_though_valid
    assert {(member, verdict.reason) for member, verdict in breaches} == {("verifier-1", "algorithm_refused")}


def test_a_verifier_that_never_forgets_a_key_breaks_the_count() -> None:
    """PyJWT's ageless cache of keys accepts the revoked one past its bound; our own verifier does not."""
    cast = Cast(1, 1, (VerifierRole(Library.OURS), VerifierRole(Library.PYJWT, forgets=False)))
    with place() as where:
        closing = Conductor(where, Silent(), cast=cast, acts=(RevokedInEmergency(),)).play()
    assert not closing.kept
    tally = closing.view.tally
    assert {member for member, _ in tally.accepted_past_bound} == {"verifier-2"}
    assert {member for member, _ in tally.past_bound} == {"verifier-1", "verifier-2"}
    assert tally.refused_though_valid == []


def test_a_scene_that_does_not_happen_in_time_is_a_breach() -> None:
    """With the time up the play ends, and says which scene is missing."""
    cast, audience = Cast(1, 1, (VerifierRole(Library.OURS),)), Silent()
    with place() as where:
        endless = Breach(lambda _: False, "a wait for nothing")
        closing: Closing = Conductor(where, audience, cast=cast, acts=(endless,), most=4_000).play()
    assert "did not happen: a wait for nothing" in closing.broken()
    assert audience.heard[-1] == "time is up"


def test_the_play_runs_in_a_store_that_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a store named by URL every process finds the keyring by the environment's own means."""
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("KEYVAULT_JWT_MASTER_KEY", raising=False)
    cast = Cast(1, 1, (VerifierRole(Library.OURS),))
    verified = Breach(lambda stage: stage.tally.verdicts)
    with place(f"file:{tmp_path / 'keys'}") as where:
        closing = Conductor(where, Silent(), cast=cast, acts=(verified,)).play()
    assert closing.scenes[0].happened
    assert (tmp_path / "keys" / where.ring / "public.json").exists()
