"""The keyring keeps what opens the second copy, and forgets it where it lies."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.errors import ContractError
from offline_queue.recovery.keyring import SLOT_BYTES, Keyring, WrappedKey


def key(number: int, part: str = "text", size: int = 60) -> WrappedKey:
    wrapped = random.Random(f"{number}{part}").randbytes(size)
    return WrappedKey(number.to_bytes(16, "big"), 1, part, "intl", "kiosk:0123456789abcdef", f"{number:016x}", wrapped)


def test_a_key_outlives_the_process(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "queue.keyring")
    assert ring.put([key(1), key(1, "live"), key(2, size=340)])
    ring.sync()
    ring.close()
    again = Keyring(tmp_path / "queue.keyring")
    assert again.get(key(1).where) == key(1)
    assert again.get(key(2).where) == key(2, size=340)
    assert again.get((bytes(16), 1, "text")) is None
    assert len(again) == 3
    again.close()
    assert (tmp_path / "queue.keyring").stat().st_mode & 0o777 == 0o600


def test_a_destroyed_key_is_in_no_byte_of_the_file_and_its_place_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "queue.keyring"
    ring = Keyring(path)
    ring.put([key(1), key(2)])
    assert ring.destroy([key(1).where, key(9).where])
    assert not ring.destroy([key(1).where])
    assert key(1).wrapped not in path.read_bytes()
    ring.put([key(3)])
    assert path.stat().st_size == 2 * SLOT_BYTES
    assert {one.where for one in ring} == {key(2).where, key(3).where}
    ring.close()


def test_the_same_key_again_writes_nothing(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "queue.keyring")
    assert ring.put([key(1)])
    assert not ring.put([key(1)])
    ring.close()


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_costs_its_own_key_only_and_is_wiped(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "queue.keyring"
    ring = Keyring(path)
    ring.put([key(number) for number in range(5)])
    ring.close()
    moments = random.Random(seed)
    held = bytearray(path.read_bytes())
    at = moments.randrange(5) * SLOT_BYTES + moments.randrange(480)
    held[at] ^= 1 << moments.randrange(8)
    path.write_bytes(held)
    again = Keyring(path)
    hit = at // SLOT_BYTES
    assert [again.get(key(number).where) for number in range(5)] == [
        None if number == hit else key(number) for number in range(5)
    ]
    assert path.read_bytes()[hit * SLOT_BYTES : (hit + 1) * SLOT_BYTES] == bytes(SLOT_BYTES)
    assert again.put([key(hit)])
    again.close()
    assert path.stat().st_size == 5 * SLOT_BYTES


@pytest.mark.parametrize("harm", [b"", b"\xee" * 700, bytes(100)], ids=["empty", "foreign", "short"])
def test_a_file_that_is_no_keyring_is_begun_anew(tmp_path: Path, harm: bytes) -> None:
    path = tmp_path / "queue.keyring"
    path.write_bytes(harm)
    ring = Keyring(path)
    assert ring.put([key(1)])
    ring.close()
    again = Keyring(path)
    assert again.get(key(1).where) == key(1)
    again.close()
    assert b"\xee" * 8 not in path.read_bytes()


def test_the_last_key_of_a_file_cut_short_is_lost_alone(tmp_path: Path) -> None:
    path = tmp_path / "queue.keyring"
    ring = Keyring(path)
    ring.put([key(1), key(2)])
    ring.close()
    path.write_bytes(path.read_bytes()[: SLOT_BYTES + 200])
    again = Keyring(path)
    assert [one.where for one in again] == [key(1).where]
    again.close()


def test_a_key_that_fits_no_slot_is_refused(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "queue.keyring")
    with pytest.raises(ContractError):
        ring.put([key(1, size=341)])
    with pytest.raises(ContractError):
        ring.put([replace(key(1), part="a part too long")])
    assert len(ring) == 0
    ring.close()
    ring.close()
