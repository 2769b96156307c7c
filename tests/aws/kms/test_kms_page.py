"""The section on KMS of docs/aws.md: its transcript prints what it shows, and it lists what there is."""

from __future__ import annotations

import os
import re
import sysconfig
from pathlib import Path

from keyvault_jwt_aws import signing_keys
from keyvault_jwt_aws.kms import errors
from keyvault_jwt_aws.kms.key_form import KEY_FORMS, LONGEST_MESSAGE
from tests.aws.moto_server import MotoServer
from tests.docs.markdown import ROOT
from tests.docs.test_vault_page import commands, steady, typed

PAGE = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Keys that never leave KMS\n")[2].partition("\n## ")[0]


def test_the_transcript_prints_what_the_page_shows(moto: MotoServer, tmp_path: Path) -> None:
    """`create` and `token sign` work as written, with moto for both services."""
    clean = {
        "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])),
        "HOME": str(tmp_path),
        "KEYVAULT_JWT_STATE": str(tmp_path / "state"),
        "COLUMNS": "80",
        "PYTHONUTF8": "1",
    }
    [transcript] = re.findall(r"<!-- run as kms -->\n```console\n(.*?)```", SECTION, re.DOTALL)
    shown = commands(transcript)
    place = f"awssm://us-east-1/{tmp_path.name}?"
    words = [
        command.replace("http://127.0.0.1:5000", moto.url).replace("awssm://us-east-1/jwt?", place)
        for command, _ in shown
    ]
    for (command, expected), output in zip(shown, typed(words, clean, tmp_path), strict=True):
        assert steady(output) == steady(expected), command


def test_every_option_error_and_spec_is_in_the_section() -> None:
    """What the store URL may say of KMS, each error, and the limit and specs are listed."""
    codes = {
        it.code for it in vars(errors).values() if isinstance(it, type) and it.__module__ == errors.__name__
    }
    assert {code for code in codes if f"`{code}`" not in SECTION} == set()
    source = Path(signing_keys.__file__).read_text(encoding="utf-8")
    options = set(re.findall(r'options\.pop\("(\w+)"', source))
    assert {option for option in options if f"\n| `{option}` |" not in SECTION} == set()
    assert f"more than {LONGEST_MESSAGE} bytes" in SECTION
    made = {form.specs[0] for form in KEY_FORMS.values()}
    assert {
        spec for spec in made if f"`{spec}`" not in SECTION and f"`_{spec.rpartition('_')[2]}`" not in SECTION
    } == set()
