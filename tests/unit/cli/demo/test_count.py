"""The closing count, for people and for programs."""

from __future__ import annotations

import json

from keyvault_jwt.cli.demo.count import count_document, count_lines
from keyvault_jwt.demo.messages import Issued, Occasion, Verdict
from keyvault_jwt.demo.tally import Revocation
from tests.unit.cli.demo.conftest import Story


def test_a_kept_promise_is_told_in_words_and_in_json(story: Story) -> None:
    """Each scene, each verifier by occasion, and both counts."""
    closing = story.closing()
    lines = "\n".join(count_lines(closing))
    assert "done     5 rotations" in lines
    assert "verifier-1  keyvault-jwt  1" in lines
    assert "refused though unexpired and not revoked          0" in lines
    assert "of these judged by each verifier, at least        1" in lines
    assert "promised: each verifier judges 90 % of the tokens" in lines
    assert lines.splitlines()[-1].startswith("kept, in ")
    told = json.loads(json.dumps(count_document(closing)))
    assert (told["issued"], told["owed"], told["verified"], told["judged_by_all"]) == (1, 1, 3, 1)
    assert [(one["judged"], one["tried_past_bound"]) for one in told["verifiers"]] == [(1, 0)]
    assert told["scenes"] == [{"title": "5 rotations", "happened": True}]
    assert told["kept"] is True
    assert told["revocation"] is None


def test_a_broken_promise_can_t_be_overlooked(story: Story) -> None:
    """A missing scene and a breach are told as such."""
    now = story.clock.wall()
    story.tally.revocation = Revocation("k9", now, now, now)
    past = Verdict("k9", "t9", now, now + 700, now + 701, True, Occasion.SIGNATURE)
    story.tally.hear("signer-1", Issued("k9", "t9", now))
    story.tally.hear("verifier-1", past)
    closing = story.closing(happened=False)
    lines = list(count_lines(closing))
    assert lines[0] == "MISSING  5 rotations"
    assert lines[-1].startswith("BROKEN")
    assert "the revoked key: accepted for the last time 0.7s AFTER the bound that was stated" in lines
    assert "of these accepted                                 1" in lines
    assert "tries by each verifier, at least                  0" in lines
    told = count_document(closing)
    assert (told["kept"], told["revoked_accepted_past_bound"]) == (False, 1)
    assert told["revocation"]["tried_past_bound"] == 1
