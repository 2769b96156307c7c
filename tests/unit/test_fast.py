"""AWS-LC says of every key, signature and text what `cryptography` says, in threads and after a fork too."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import gcd, prod
from typing import Any

import pytest
from awscrt import crypto
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from keyvault_jwt.algorithms import ALGORITHMS, Verify
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.engine import CRYPTOGRAPHY
from keyvault_jwt.errors import WrongKeyType
from keyvault_jwt.fast import AWSLC, SERVED
from keyvault_jwt.jwk import MAX_RSA_BITS
from keyvault_jwt.key_factory import public_half
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import InvalidSignature
from keyvault_jwt.verifier import Verifier

from .conftest import TestKey, jwk_set

MakeKey = Callable[..., TestKey]
DATA = b"signing input"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FORKING = """
import os, signal, threading
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.fast import AWSLC, SERVED
from keyvault_jwt.key_factory import LocalKeyFactory, load_private, public_half

bound = []
for name in sorted(SERVED):
    private = load_private(name, LocalKeyFactory().make(name).private)
    verify = AWSLC().verifier(ALGORITHMS[name], public_half(private))
    bound.append((verify, ALGORITHMS[name].signer(private)(b"data")))
ended = threading.Event()

def right():
    return all(verify(good, b"data") and not verify(good, b"date") for verify, good in bound)

def keep_on():
    while not ended.is_set() and right():
        pass

threads = [threading.Thread(target=keep_on) for _ in range(4)]
for thread in threads:
    thread.start()
codes = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # who waits for a lock that nobody holds any more, dies by it
        os._exit(0 if all(right() for _ in range(5)) else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
ended.set()
print(*codes, right())
"""


def both(name: str, public: Any) -> tuple[Verify, Verify]:
    """Return AWS-LC's check and the row's own."""
    return AWSLC().verifier(ALGORITHMS[name], public), ALGORITHMS[name].verifier(public)


def scheme(name: str) -> padding.PKCS1v15 | padding.PSS:
    """Return the padding of RS256 or PS256."""
    return padding.PKCS1v15() if name == "RS256" else padding.PSS(padding.MGF1(SHA256()), 32)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kind of key of each check that AWS-LC was asked for."""
    checks: list[str] = []
    for kind in (crypto.RSA, crypto.EC):

        def verify(*arguments: Any, kind: Any = kind, own: Any = kind.verify) -> Any:
            checks.append(kind.__name__)
            return own(*arguments)

        monkeypatch.setattr(kind, "verify", verify)
    return checks


@pytest.mark.parametrize("name", ALGORITHMS)
def test_aws_lc_is_asked_for_what_it_serves(name: str, make_key: MakeKey, asked: list[str]) -> None:
    """RS256, PS256 and ES256 are checked by AWS-LC, and nothing else is: it is really used."""
    private: Any = make_key(name, 0).private
    for check in both(name, public_half(private)):
        assert check(ALGORITHMS[name].signer(private)(DATA), DATA)
    assert asked == {"RS256": ["RSA"], "PS256": ["RSA"], "ES256": ["EC"]}.get(name, [])
    assert (name in SERVED) is bool(asked)


@pytest.mark.parametrize("name", sorted(SERVED))
def test_another_width_is_refused_unasked(name: str, make_key: MakeKey, asked: list[str]) -> None:
    """A signature of another width than the key's costs no arithmetic, whatever AWS-LC would say of it."""
    private: Any = make_key(name, 0).private
    verify, good = (
        AWSLC().verifier(ALGORITHMS[name], public_half(private)),
        ALGORITHMS[name].signer(private)(DATA),
    )
    half = len(good) // 2
    for bad in (
        b"",
        good[:-1],
        good[1:],
        good + b"\0",
        b"\0" + good,
        good[:half] + b"\0" + good[half:],
        good * 2,
    ):
        assert verify(bad, DATA) is False
    assert asked == []


@pytest.mark.parametrize("name", sorted(SERVED))
@pytest.mark.parametrize("failure", [RuntimeError, ValueError])
def test_no_answer_is_no_refusal(
    name: str, failure: type[Exception], make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where awscrt fails in the midst of a check, `cryptography` makes it, of good and bad signatures."""

    def fail(*_: object) -> bool:
        raise failure("out of order")

    for kind in (crypto.RSA, crypto.EC):
        monkeypatch.setattr(kind, "verify", fail)
    private: Any = make_key(name, 0).private
    verify, good = (
        AWSLC().verifier(ALGORITHMS[name], public_half(private)),
        ALGORITHMS[name].signer(private)(DATA),
    )
    assert verify(good, DATA) is True
    assert verify(good, DATA + b"x") is False


@pytest.mark.parametrize("name", sorted(SERVED))
def test_keys_of_another_kind_are_refused(name: str, make_key: MakeKey) -> None:
    """A key of another type or curve is refused as the row refuses it."""
    row, kinds = ALGORITHMS[name], ("ES256", "ES384", "ES512", "Ed25519", "RS256", "HS512", "ML-DSA-44")
    others = [kind for kind in kinds if (ALGORITHMS[kind].kty, ALGORITHMS[kind].crv) != (row.kty, row.crv)]
    assert len(others) == len(kinds) - 1
    for other in others:
        with pytest.raises(WrongKeyType, match=f"{name} can't use"):
            AWSLC().verifier(row, public_half(make_key(other, 0).private))


def mutants(good: bytes, dice: random.Random) -> Iterator[bytes]:
    """Return signatures near a good one: bytes and bits changed, cut, grown, turned, and numbers moved."""
    half, whole = len(good) // 2, int.from_bytes(good, "big")
    for _ in range(150):
        changed = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            changed[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
        yield bytes(changed)
    for _ in range(20):
        yield dice.randbytes(len(good))
        yield good[: dice.randrange(len(good))]
        yield good + dice.randbytes(dice.randint(1, 9))
    for moved in (whole - 1, whole + 1, whole ^ (1 << (8 * len(good) - 1)), 0, 1, (1 << 8 * len(good)) - 1):
        yield (moved % (1 << 8 * len(good))).to_bytes(len(good), "big")
    yield from (
        b"",
        good[half:] + good[:half],
        good[::-1],
        bytes(half) + good[half:],
        good[:half] + bytes(half),
    )
    yield from (b"\0" + good, good + b"\0", good[1:], good + good, bytes(good))


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_changed_signature_gets_the_same_verdict(name: str, make_key: MakeKey) -> None:
    """Of several hundred signatures near a good one, both accept the good one and the very same others."""
    for number in range(2):
        private: Any = make_key(name, number).private
        ours, theirs = both(name, public_half(private))
        good = ALGORITHMS[name].signer(private)(DATA)
        tried = list(mutants(good, random.Random(number)))
        verdicts = [ours(signature, DATA) for signature in tried]
        assert verdicts == [theirs(signature, DATA) for signature in tried]
        assert 0 < sum(verdicts) < 5
        for data in (b"", DATA[:-1], DATA + b"\0"):
            assert ours(good, data) is False


def test_numbers_of_an_ecdsa_signature(make_key: MakeKey) -> None:
    """Zero, the order and what is beyond are refused; short numbers and the greater s are taken."""
    private: Any = make_key("ES256", 0).private
    ours, theirs = both("ES256", public_half(private))
    numbers = (0, 1, ORDER - 1, ORDER, ORDER + 1, (1 << 256) - 1)
    for r, s in itertools.product(numbers, repeat=2):
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert ours(signature, DATA) is theirs(signature, DATA) is False
    sign, short = ALGORITHMS["ES256"].signer(private), set()
    while short != {0, 32}:
        good = sign(DATA)
        twin = good[:32] + (ORDER - int.from_bytes(good[32:], "big")).to_bytes(32, "big")
        short |= {place for place in (0, 32) if good[place] == 0}
        assert ours(good, DATA)
        assert ours(twin, DATA)
        assert ours(good[:32] + b"\0" + good[32:], DATA) is False
        if good[32] == 0:
            assert ours(good[:32] + good[33:], DATA) is False


@pytest.mark.parametrize(
    "salt",
    [0, 20, 31, 32, 33, padding.PSS.MAX_LENGTH],
    ids=lambda it: str(it) if isinstance(it, int) else "longest",
)
def test_salt_of_another_length(make_key: MakeKey, salt: Any) -> None:
    """A PSS signature is taken with a salt of 32 bytes and no other (RFC 7518 section 3.5)."""
    private: Any = make_key("PS256", 0).private
    signature = private.sign(DATA, padding.PSS(padding.MGF1(SHA256()), salt), SHA256())
    for check in both("PS256", private.public_key()):
        assert check(signature, DATA) is (salt == 32)


@pytest.fixture(scope="module")
def primes() -> dict[int, list[int]]:
    """Some primes of each of some widths; two of them make a modulus of just as many bits as both."""
    found = {}
    for bits, pairs in ((512, 1), (516, 1), (1024, 4), (1025, 1), (1026, 1), (1028, 1)):
        keys = [rsa.generate_private_key(65537, 2 * bits).private_numbers() for _ in range(pairs)]
        found[bits] = [prime for key in keys for prime in (key.p, key.q)]
    return found


def private_key(ps: list[int], qs: list[int], e: int) -> rsa.RSAPrivateKey:
    """Return the RSA key of these primes; several on a side are quicker to find than one that is as wide."""
    p, q = prod(ps), prod(qs)
    d = pow(e, -1, prod(prime - 1 for prime in ps + qs))
    ends = [d % prod(prime - 1 for prime in side) for side in (ps, qs)]
    numbers = rsa.RSAPrivateNumbers(p, q, d, *ends, pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


@pytest.mark.parametrize("name", ["RS256", "PS256"])
@pytest.mark.parametrize(
    "widths",
    [
        (512, 512),
        (512, 516),
        (1024, 1024),
        (1024, 1025),
        (1024, 1026),
        (1025, 1026),
        (1024, 1028),
        (1026, 1028),
    ],
    ids=str,
)
def test_widths_of_a_modulus(primes: dict[int, list[int]], widths: tuple[int, int], name: str) -> None:
    """Moduli that fill no whole byte are served too, the one whose PSS block is a byte shorter among them."""
    private = private_key(primes[widths[0]][:1], primes[widths[1]][-1:], 65537)
    assert private.key_size == sum(widths)
    assert_same(name, private.public_key(), private.sign(DATA, scheme(name), SHA256()))


@pytest.mark.parametrize("name", ["RS256", "PS256"])
def test_widest_modulus(primes: dict[int, list[int]], name: str) -> None:
    """A modulus about as wide as a key set may hold is served."""
    private = private_key(primes[1024][:4], primes[1024][4:], 65537)
    assert MAX_RSA_BITS - 8 < private.key_size <= MAX_RSA_BITS
    assert_same(name, private.public_key(), private.sign(DATA, scheme(name), SHA256()))


@pytest.mark.parametrize("name", ["RS256", "PS256"])
@pytest.mark.parametrize("least", [3, 17, 1 << 31, 1 << 32, 1 << 33, 1 << 64, 1 << 255])
def test_exponents(primes: dict[int, list[int]], least: int, name: str) -> None:
    """Every exponent is served, those of more than 33 bits too, which AWS-LC gives no verdict on."""
    p, q = primes[1024][:2]
    e = next(e for e in itertools.count(least | 1, 2) if gcd(e, (p - 1) * (q - 1)) == 1)
    private = private_key([p], [q], e)
    assert_same(name, private.public_key(), private.sign(DATA, scheme(name), SHA256()))


def assert_same(name: str, public: rsa.RSAPublicKey, good: bytes) -> None:
    """A good signature is taken by both engines, and the numbers near it by neither."""
    n, value, width = public.public_numbers().n, int.from_bytes(good, "big"), len(good)
    wrong = [good[:-1], good + b"\0", b"\0" + good, b""]
    numbers = (0, 1, n - 1, n, n - value, value + 1, value + n, (1 << 8 * width) - 1)
    wrong += [number.to_bytes(width, "big") for number in numbers if number < 1 << 8 * width]
    for check in both(name, public):
        assert check(good, DATA) is True
        assert {check(signature, DATA) for signature in wrong} == {False}
        assert check(good, DATA + b"x") is False


@pytest.mark.parametrize("name", ["RS256", "PS256"])
def test_numbers_that_are_no_rsa_key(primes: dict[int, list[int]], name: str) -> None:
    """Where AWS-LC takes no key, of an even modulus say, `cryptography` answers as ever."""
    n = primes[1024][0] * primes[1024][1]
    for e, modulus in ((65537, n - 1), (n - 2, n)):
        public = rsa.RSAPublicNumbers(e, modulus).public_key()
        for check in both(name, public):
            assert check(b"\1" * 256, DATA) is False


def test_one_binding_in_many_threads(make_key: MakeKey) -> None:
    """Eight threads that ask one binding at once get each its own answer."""
    for name in sorted(SERVED):
        private: Any = make_key(name, 0).private
        verify = AWSLC().verifier(ALGORITHMS[name], public_half(private))
        sign = ALGORITHMS[name].signer(private)
        signed = [(sign(bytes([number])), bytes([number])) for number in range(8)]

        def right(number: int, verify: Verify = verify, signed: list[tuple[bytes, bytes]] = signed) -> bool:
            return all(
                verify(signature, data) is (data[0] == number)
                for _ in range(50)
                for signature, data in [(signed[number][0], text) for _, text in signed]
            )

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(right, range(8)))


def test_bindings_survive_a_fork() -> None:
    """Children of a process whose threads verify all the time verify on, by bindings from before the fork."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout.split() == ["0"] * 20 + ["True"]


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_verifier_of_each_engine_over_one_cache(
    name: str, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, asked: list[str]
) -> None:
    """Verifiers of both engines share a cache, each asks its own, and both say the same of a token."""
    key = make_key(name, 0)
    token = key.token(claims)
    cache = JWKSCache.from_document(jwk_set(key.jwk()))
    expected = {"issuer": None, "audience": None, "algorithms": [name], "clock": clock}
    forged = f"{key.token(claims | {'sub': 'u2'}).rpartition('.')[0]}.{token.rpartition('.')[2]}"
    for engine in (CRYPTOGRAPHY, AWSLC(), CRYPTOGRAPHY):
        verifier = Verifier(cache, **expected, engine=engine)
        asked.clear()
        for _ in ("cold", "warm"):
            assert verifier.verify(token) == claims
            with pytest.raises(InvalidSignature):
                verifier.verify(forged)
        assert bool(asked) is (engine == AWSLC())


def test_the_extra_is_named_where_it_is_missing() -> None:
    """Without awscrt the import fails with the extra's name; nothing else of the package needs it."""
    script = (
        "import sys; sys.modules.update(awscrt=None)\n"
        "import keyvault_jwt as kj; [getattr(kj, name) for name in kj.__all__]\n"
        "try: import keyvault_jwt.fast\n"
        "except kj.KeyvaultJWTError as missing: print(missing.code, missing)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("missing_extra ")
    assert "keyvault-jwt[fast]" in done.stdout
