"""Checked, never run: what a caller of the key manager sees of the types."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

import keyvault_jwt as kj
from keyvault_jwt.store import DocumentStore

assert_type(kj.__version__, str)

store = kj.open_store("file:./keys")
assert_type(store, DocumentStore)
assert_type(kj.open_store(), DocumentStore)

policy = kj.RotationPolicy(algorithm="ES256", rotate_every="90d", token_ttl=timedelta(minutes=5))
assert_type(policy.rotate_every, timedelta)
assert_type(policy.algorithm, str)

manager = kj.KeyManager(store)
with kj.KeyManager(store) as entered:
    assert_type(entered, kj.KeyManager)

assert_type(manager.create("payments", policy, issuer="https://id.example"), kj.Report)
assert_type(manager.reconcile("payments"), kj.Report)
assert_type(manager.rotate("payments", replacing="kid", emergency=False, accept_refusals=False), kj.Report)
assert_type(manager.revoke("payments", "kid", reason="leaked in CI log"), kj.Report)
assert_type(manager.rollback("payments"), kj.Report)
assert_type(manager.recover("payments"), kj.Report)
assert_type(manager.change_policy("payments", policy), kj.Report)
assert_type(manager.migrate("payments", to="Ed25519"), kj.Report)
assert_type(manager.export_keys("payments"), list[dict[str, Any]])
assert_type(manager.jwks("payments"), bytes)

plan = manager.plan("payments")
assert_type(plan, kj.Plan)
assert_type(plan.next_due, int | None)

keyring = manager.keyring("payments")
assert_type(keyring, kj.Keyring)
for record in keyring.records:
    assert_type(record.kid, str)
    assert_type(record.state, kj.KeyState)

try:
    manager.rotate("payments")
except kj.KeyvaultJWTError as error:
    assert_type(error.code, str)
    assert_type(error.fix, str)

scheduler = kj.RotationScheduler(manager, keyrings="*")
assert_type(scheduler.start(), kj.RotationScheduler)
with kj.RotationScheduler(manager, keyrings=["payments"]) as running:
    assert_type(running, kj.RotationScheduler)

# What must not pass: an ignore that nothing needs is an error too, so each line is checked both ways.
_ = kj.KeyManger  # type: ignore[attr-defined]  # pyright: ignore
kj.KeyManager("file:./keys")  # type: ignore[arg-type]  # pyright: ignore
manager.create("payments", policy)  # type: ignore[call-arg]  # pyright: ignore
manager.rotate("payments", "kid")  # type: ignore[call-arg]  # pyright: ignore
manager.revoke("payments", "kid")  # type: ignore[call-arg]  # pyright: ignore
kj.RotationScheduler(store)  # type: ignore[arg-type]  # pyright: ignore
plan.steps = ()  # type: ignore[misc]  # pyright: ignore
