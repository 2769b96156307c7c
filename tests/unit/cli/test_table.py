"""Columns line up."""

from __future__ import annotations

from keyvault_jwt.cli.table import table, width_of


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """Heads and cells of a column begin in the same place, and no line ends in spaces."""
    rows = [("payments", "ES256"), ("x", "")]
    assert list(table(("ring", "alg"), rows)) == ["ring      alg", "payments  ES256", "x"]
    assert width_of(("ring", "alg"), rows) == len("payments  ES256")


def test_a_table_without_rows_is_its_heads() -> None:
    """No row is no fault."""
    assert list(table(("ring", "alg"), [])) == ["ring  alg"]
