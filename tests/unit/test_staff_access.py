"""Who unlocks the staff sheet, how often one may guess, and where the one-time PIN is shown."""

from __future__ import annotations

import io
import logging
import os
import sys
import time as system_time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import argon2
import pytest

from kiosk.config import StaffSection
from kiosk.errors import ConfigError
from kiosk.staff import operators, pin_command
from kiosk.staff.access import KIOSK, ONE_TIME, Locked, StaffAccess, Wrong
from kiosk.staff.operators import Cost, Operator
from kiosk.state import Clocks, StateStore

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ANY_COST = Cost(memory_kib=8, passes=1)
LAN, MEI = "482915", "730264"


class Kiosk:
    """A state file, a clock and an operators file."""

    def __init__(self, folder: Path) -> None:
        self.at = 1_780_000_000.0
        self.folder = folder
        self.terminal = io.StringIO()
        clocks = Clocks(lambda: self.at, lambda: self.at - 1_770_000_000, lambda: "boot")
        self.open: Callable[[], StateStore] = lambda: StateStore(folder / "state.db", clocks)
        self.state = self.open()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def operators(self, *blocks: str, mode: int = 0o640) -> Path:
        path = self.folder / "operators.toml"
        path.write_text("\n".join(blocks), encoding="utf-8")
        path.chmod(mode)
        return path

    def access(self, *blocks: str, tries: int = 3) -> StaffAccess:
        path = self.operators(*blocks) if blocks else None
        config = StaffSection(pin_tries=tries, lockout_s=300, operators_file=path)
        return StaffAccess(config, self.state, self.now, floor=ANY_COST, terminal=self.terminal)


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path)
    yield made
    made.state.close()


def block(name: str, pin: str, role: str = "clerk") -> str:
    return pin_command.entry(name, role, pin, CHEAP)


TWO = (block("lan", LAN), block("美", MEI, "manager"))


def test_each_operator_is_known_by_the_pin(kiosk: Kiosk) -> None:
    access = kiosk.access(*TWO)
    found = [access.check(pin) for pin in (LAN, MEI)]
    assert [(who.name, who.role) for who in found if isinstance(who, Operator)] == [("lan", "clerk"), ("美", "manager")]
    assert access.one_time_pin is None
    assert kiosk.terminal.getvalue() == ""


@pytest.mark.parametrize("pin", ["", "0", LAN[:-1], LAN + "0", f" {LAN}", "４８２９１５", "\ud800", LAN * 50])
def test_anything_else_is_nobodys(kiosk: Kiosk, pin: str) -> None:
    assert kiosk.access(*TWO).check(pin) == Wrong(2)


def test_every_hash_is_tried_whoever_it_is(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    access = kiosk.access(*TWO)
    tried: list[str] = []
    real = argon2.PasswordHasher.verify

    def counting(self: argon2.PasswordHasher, hash_: str, pin: bytes) -> bool:
        tried.append(hash_)
        return real(self, hash_, pin)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counting)
    for pin in (LAN, MEI, "000000", LAN * 50):
        access.check(pin)
    assert len(tried) == 8


def test_a_pin_of_two_operators_names_neither(kiosk: Kiosk, caplog: pytest.LogCaptureFixture) -> None:
    access = kiosk.access(block("lan", LAN), block("mei", LAN))
    assert access.check(LAN) == Wrong(2)
    assert "lan, mei have the same PIN" in caplog.text
    assert LAN not in caplog.text
    caplog.clear()
    assert isinstance(kiosk.access(block("lan", LAN), block("mei", MEI)).check(MEI), Operator)
    assert caplog.text == ""


def test_too_many_wrong_pins_lock_and_a_right_one_does_not_help(kiosk: Kiosk) -> None:
    access = kiosk.access(*TWO)
    assert [access.check("1") for _ in range(3)] == [Wrong(2), Wrong(1), Locked(300, began_now=True)]
    assert access.check(LAN) == Locked(300)
    kiosk.at += 299.5
    assert access.check(LAN) == Locked(1)
    kiosk.at += 1
    assert access.locked_for_s() == 0
    assert isinstance(access.check(LAN), Operator)


def test_a_restart_frees_nobody_and_gives_no_new_tries(kiosk: Kiosk) -> None:
    access = kiosk.access(*TWO)
    access.check("1")
    access.check("1")
    kiosk.state.close()
    kiosk.state = kiosk.open()
    access = kiosk.access(*TWO)
    assert access.check("1") == Locked(300, began_now=True)
    kiosk.state.close()
    kiosk.state = kiosk.open()
    assert kiosk.access(*TWO).check(LAN) == Locked(300)


def test_each_lock_out_is_twice_as_long_up_to_an_hour_until_a_right_pin(kiosk: Kiosk) -> None:
    access = kiosk.access(*TWO)
    waits = []
    for _ in range(6):
        answers = [access.check("1") for _ in range(3)]
        assert isinstance(answers[-1], Locked)
        waits.append(answers[-1].wait_s)
        kiosk.at += answers[-1].wait_s
    assert waits == [300, 600, 1200, 2400, 3600, 3600]
    access.check(LAN)
    assert [access.check("1") for _ in range(3)][-1] == Locked(300, began_now=True)


def test_a_right_pin_forgets_the_wrong_ones(kiosk: Kiosk) -> None:
    access = kiosk.access(*TWO)
    access.check("1")
    access.check("1")
    access.check(LAN)
    assert access.check("1") == Wrong(2)


def test_a_disk_that_refuses_locks_after_a_wrong_pin_and_lets_a_right_one_in(
    kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    access = kiosk.access(*TWO)
    kiosk.state.close()
    assert isinstance(access.check(LAN), Operator)
    assert access.check("1") == Locked(300, began_now=True)
    assert isinstance(access.check(LAN), Locked)
    assert "could not be counted" in caplog.text


def test_without_operators_a_pin_of_six_digits_is_shown_on_the_terminal_only(
    kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        access = kiosk.access()
        pin = access.one_time_pin
        assert pin is not None
        assert access.check("x") == Wrong(2)
        assert access.check(pin) == ONE_TIME
    assert len(pin) == 6
    assert pin.isdecimal()
    assert kiosk.terminal.getvalue() == f"Staff PIN of this run: {pin}\n"
    assert pin not in caplog.text
    assert kiosk.access().one_time_pin != pin or kiosk.access().one_time_pin != pin


def test_the_terminal_is_stderr(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    access = StaffAccess(StaffSection(), kiosk.state, kiosk.now)
    shown = capsys.readouterr()
    assert str(access.one_time_pin) in shown.err
    assert shown.out == ""


def test_a_journal_is_no_terminal(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with (tmp_path / "journal").open("w+") as journal:
        found = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        StaffAccess(StaffSection(), kiosk.state, kiosk.now, terminal=journal)
        journal.seek(0)
        assert journal.read() == ""
    assert "set staff.operators_file" in caplog.text


def test_every_fault_of_the_operators_file_is_told_at_once(kiosk: Kiosk) -> None:
    weak = pin_command.entry("weak", "clerk", LAN, CHEAP)
    other_kind = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=argon2.Type.I).hash(LAN)
    path = kiosk.operators(
        'colour = "red"',
        weak,
        f'[[operator]]\nname = " lan"\nrole = "guest"\npin_hash = "{other_kind}"\nage = 3',
        '[[operator]]\nname = "Weak"\nrole = "clerk"\npin_hash = "482915"',
        "[[operator]]",
        mode=0o644,
    )
    with pytest.raises(ConfigError) as caught:
        operators.load(path)
    assert caught.value.faults == (
        "every user of this machine can read it; fix: chmod 640 operators.toml",
        "colour: unknown key",
        "operator 1: pin_hash: too cheap to guess; ./run pin NAME makes a dear one",
        "operator 2: age: unknown key",
        "operator 2: name: no control characters, nor spaces around it, please",
        "operator 2: role: one of clerk, manager, installer, please",
        "operator 2: pin_hash: argon2id, please, no other kind; ./run pin NAME makes one",
        "operator 3: pin_hash: not an argon2id hash; ./run pin NAME makes one",
        "operator 4: name: 1 to 32 characters, please",
        "operator 4: role: one of clerk, manager, installer, please",
        "operator 4: pin_hash: not an argon2id hash; ./run pin NAME makes one",
        "operator 3: the name stands twice",
    )


@pytest.mark.parametrize("text", ["", "operator = 3", "[[operator", "operator = [1]"])
def test_a_file_without_operators_is_a_fault(kiosk: Kiosk, text: str) -> None:
    with pytest.raises(ConfigError, match=r"operators\.toml"):
        operators.load(kiosk.operators(text))


def test_an_absent_file_is_a_fault_that_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"staff\.operators_file"):
        operators.load(tmp_path / "operators.toml")


def test_no_hash_is_shown(kiosk: Kiosk) -> None:
    assert "argon2" not in repr(operators.load(kiosk.operators(*TWO), ANY_COST))


@pytest.mark.parametrize(("role", "decides"), [("clerk", True), ("manager", True), ("installer", False)])
def test_an_installer_decides_about_no_guest(role: str, decides: bool) -> None:
    assert Operator("x", role).decides is decides


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


@pytest.mark.timeout(60)
def test_what_the_pin_command_prints_unlocks_at_its_real_cost(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, LAN, LAN)
    assert pin_command.main(['阿 "lan"', "--role", "manager"]) == 0
    printed = capsys.readouterr()
    assert LAN not in printed.out + printed.err
    config = StaffSection(operators_file=kiosk.operators(printed.out))
    access = StaffAccess(config, kiosk.state, kiosk.now)
    began = system_time.perf_counter()
    who = access.check(LAN)
    assert system_time.perf_counter() - began < 5
    assert isinstance(who, Operator)
    assert (who.name, who.role) == ('阿 "lan"', "manager")
    cost = argon2.extract_parameters(who.pin_hash)
    assert (cost.type, cost.memory_cost, cost.time_cost) == (argon2.Type.ID, 65536, 3)
    assert access.check(MEI) == Wrong(4)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (("12345", "12345"), "6 to 12 digits"),
        (("1234567890123", "1234567890123"), "6 to 12 digits"),
        (("４８２９１５", "４８２９１５"), "6 to 12 digits"),
        (("111111", "111111"), "no row"),
        (("789012", "789012"), "no row"),
        (("321098", "321098"), "no row"),
        ((LAN, MEI), "not the same"),
        ((), "6 to 12 digits"),
    ],
)
def test_a_pin_that_is_no_good_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lines: tuple[str, ...], fault: str
) -> None:
    typed(monkeypatch, *lines)
    assert pin_command.main(["lan"]) == 1
    printed = capsys.readouterr()
    assert fault in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("name", ["", " lan", "a\nb", "x" * 33])
def test_a_name_that_is_no_good_is_refused_before_any_pin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    typed(monkeypatch)
    assert pin_command.main([name]) == 1
    assert "name: " in capsys.readouterr().err


def test_the_block_is_toml_that_names_the_operator() -> None:
    (row,) = tomllib.loads(block('l"an\\', LAN))["operator"]
    assert row["name"] == 'l"an\\'
    assert row["role"] == "clerk"


def test_wrong_pins_are_counted_for_the_kiosk(kiosk: Kiosk) -> None:
    kiosk.access(*TWO).check("1")
    assert kiosk.state.pin_failed(KIOSK, kiosk.now()) == 2
