"""Base64url: one spelling for each byte string, and every other one refused."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyvault_jwt import base64url

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
LOOK_ALIKES = "\N{CYRILLIC CAPITAL LETTER A}\N{FULLWIDTH LATIN CAPITAL LETTER A}\N{FULLWIDTH LOW LINE}"


@given(st.binary(max_size=80))
def test_bytes_come_back(data: bytes) -> None:
    """What is encoded is decoded to the same bytes, given as text or as bytes."""
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert base64url.decode(text) == base64url.decode(text.encode()) == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\x00", "AA"),
        (b"\xff", "_w"),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg"),
        (b"\xfb\xff\xbf", "-_-_"),
        (bytes([3, 236, 255, 224, 193]), "A-z_4ME"),
    ],
)
def test_published_spellings(data: bytes, text: str) -> None:
    """RFC 4648 section 10 without padding, and the example of RFC 7515 appendix C."""
    assert base64url.encode(data) == base64url.encode_ascii(data).decode() == text
    assert base64url.decode(text) == data


@given(st.text(ALPHABET, max_size=12))
@example("AB")
@example("AAB")
def test_what_is_accepted_is_canonical(text: str) -> None:
    """Of all texts in the alphabet only those are accepted that encoding would have written."""
    try:
        data = base64url.decode(text)
    except ValueError:
        spare = {0: 0, 1: 6, 2: 4, 3: 2}[len(text) % 4]
        assert spare == 6 or ALPHABET.index(text[-1]) % (1 << spare)
    else:
        assert base64url.encode(data) == base64url.encode_ascii(data).decode() == text


@pytest.mark.parametrize("data", [b"f", b"fo", b"foob", b"fooba"])
def test_spare_bits_must_be_zero(data: bytes) -> None:
    """Of the last characters that a lenient decoder takes for the same bytes, one is accepted."""
    text = base64url.encode(data)
    twins = [text[:-1] + last for last in ALPHABET]
    lenient = [twin for twin in twins if base64.urlsafe_b64decode(twin + "=" * (-len(twin) % 4)) == data]
    assert len(lenient) in {4, 16}
    accepted = []
    for twin in lenient:
        try:
            base64url.decode(twin)
            accepted.append(twin)
        except ValueError as refused:
            assert "one spelling" in str(refused)  # noqa: PT017
    assert accepted == [text]


@pytest.mark.parametrize("text", ["A", "AAAAA", "_", "Zm9vY"])
def test_a_lone_last_character_is_refused(text: str) -> None:
    """A length of 1 modulo 4 spells no bytes."""
    with pytest.raises(ValueError, match=r"^not base64url in its one spelling$"):
        base64url.decode(text)


@pytest.mark.parametrize("place", range(7))
def test_no_other_character_is_skipped(place: int) -> None:
    """Padding, white space, `+`, `/`, controls and look-alikes are refused wherever they stand."""
    for character in sorted({chr(code) for code in range(256)} - set(ALPHABET)) + list(LOOK_ALIKES):
        text = "Zm9vYg"[:place] + character + "Zm9vYg"[place:]
        for spelling in (text, text.encode()):
            with pytest.raises(ValueError, match=r"^not base64url in its one spelling$"):
                base64url.decode(spelling)


@pytest.mark.parametrize("text", ["Zg==", "Zg=", "Zm8=", "Zm9v=", "Zm9v====", "=", "Zm9v\n", "\nZm9v"])
def test_padding_and_line_ends_are_refused(text: str) -> None:
    """The unpadded spelling is the only one; a line end after it makes another."""
    with pytest.raises(ValueError, match=r"^not base64url in its one spelling$"):
        base64url.decode(text)


@pytest.mark.parametrize(
    "text", ["c2VjcmV0LXNlY3JldC1zZWNyZXQé", "c2VjcmV0LXNlY3JldC1zZWNyZXQ=", "c2VjcmV0LXNlY3JldC1zZWNyZXR"]
)
def test_refusal_quotes_nothing(text: str) -> None:
    """The text may be a private half: neither the error nor what it came from repeats it."""
    with pytest.raises(ValueError, match="base64url") as caught:
        base64url.decode(text)
    error: BaseException | None = caught.value
    while error is not None:
        assert "c2VjcmV0" not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "AA"), (1, "AQ"), (127, "fw"), (128, "gA"), (255, "_w"), (256, "AQA"), (65537, "AQAB")],
)
def test_integers_take_the_fewest_octets(value: int, text: str) -> None:
    """RFC 7518 section 2: zero is one octet, and no number has a leading zero octet."""
    assert base64url.encode_integer(value) == text


@given(st.integers(0, 2**600))
def test_integers_come_back(value: int) -> None:
    """The octets are the number, big-endian, with no zero before it."""
    data = base64url.decode(base64url.encode_integer(value))
    assert int.from_bytes(data, "big") == value
    assert data[0] or data == b"\0"


def test_negative_integers_have_no_spelling() -> None:
    """A Base64urlUInt is unsigned."""
    with pytest.raises(OverflowError):
        base64url.encode_integer(-1)
