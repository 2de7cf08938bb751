"""The sandbox's database: rows by their columns' names share its lock and transactions, and cost its start nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.sandbox.store import Database

SCHEMA = "CREATE TABLE IF NOT EXISTS pass (value TEXT PRIMARY KEY, uses INTEGER NOT NULL DEFAULT 0);"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database(None, SCHEMA)
    yield made
    made.close()


def test_a_row_that_was_named_by_columns_goes_with_the_transaction_that_failed(database: Database) -> None:
    database.insert("pass", {"value": "kept"})

    def fail() -> None:
        with database.transaction():
            database.insert("pass", {"value": "lost"})
            database.update("pass", "kept", {"uses": 7})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert database.get("pass", "lost") is None
    assert database.rows("pass", ["value", "uses"]) == [{"value": "kept", "uses": 0}]


def test_a_mistyped_table_is_refused_not_made(database: Database) -> None:
    with pytest.raises(LookupError, match=r"no table pas$"):
        database.insert("pas", {"value": "x"})

    assert database.one("SELECT 1 FROM sqlite_master WHERE name = 'pas'") is None


def test_kiosks_that_redeem_at_the_same_time_lose_no_use(database: Database) -> None:
    database.insert("pass", {"value": "shared"})

    def redeem() -> None:
        for _ in range(50):
            with database.transaction():
                row = database.get("pass", "shared")
                assert row is not None
                database.update("pass", "shared", {"uses": row["uses"] + 1})

    threads = [threading.Thread(target=redeem) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    row = database.get("pass", "shared")
    assert row is not None
    assert row["uses"] == 200


@pytest.mark.timeout(60)
def test_the_demo_kiosk_does_not_wait_for_the_table_library(tmp_path: Path) -> None:
    script = """
import pathlib, sys
import kiosk.sandbox.process
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.world import Behaviour, Sandbox
sandbox = Sandbox(pathlib.Path(sys.argv[1]), Behaviour())
print("sqlite_utils" in sys.modules)
sandbox.issue_suishen(PEOPLE["lin"])
print("sqlite_utils" in sys.modules)
sandbox.close()
"""
    child = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert child.stdout.split() == ["False", "True"]
