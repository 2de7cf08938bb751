"""The second copy's bytes: damage costs the frames it touches, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kiosk.errors import OutboxUnavailable
from offline_queue.crypto.sealing import SealedPart
from offline_queue.recovery import frames, journal
from offline_queue.recovery.frames import Frame, Kind
from offline_queue.recovery.journal import Journal, look, segments
from offline_queue.recovery.kept import Kept, of_body

CHAIN = b"c" * 32


def frame(number: int, size: int = 300) -> Frame:
    return Frame(Kind.ROW, number.to_bytes(16, "big"), 1, number, random.Random(number).randbytes(size))


def kept(number: int, size: int = 300) -> Kept:
    sealed = random.Random(number).randbytes(size)
    columns = {"record": number.to_bytes(16, "big"), "revision": 1, "state": "READY", "why": None, "due_at": 1.5}
    return Kept(columns, (SealedPart("text", sealed, "kiosk:ab", "k1", b"never written", "intl"),))


def numbers(data: bytes) -> list[int]:
    return [one.seq for one in frames.whole(data)]


def test_a_flipped_bit_costs_its_own_frame_only() -> None:
    held = [frame(number).to_bytes() for number in range(1, 8)]
    data = b"".join(held)
    moments = random.Random(7)
    for _ in range(300):
        at = moments.randrange(len(data))
        broken = bytearray(data)
        broken[at] ^= 1 << moments.randrange(8)
        hit = at // len(held[0]) + 1
        assert numbers(bytes(broken)) == [number for number in range(1, 8) if number != hit]


def test_a_torn_tail_costs_the_last_frame_only() -> None:
    data = b"".join(frame(number).to_bytes() for number in range(1, 4))
    last = len(frame(3).to_bytes())
    for cut in range(1, last, 17):
        assert numbers(data[:-cut]) == [1, 2]


def test_frames_behind_a_torn_one_are_found() -> None:
    torn = frame(1, size=900).to_bytes()[:500]
    assert numbers(torn + frame(2).to_bytes() + frame(3).to_bytes()) == [2, 3]


def test_other_bytes_are_no_frames() -> None:
    noise = random.Random(3).randbytes(5000) + frames.MAGIC * 40
    assert numbers(noise) == []
    assert numbers(b"") == []


def test_an_event_comes_back_from_its_frame_without_a_key() -> None:
    body = kept(5).to_body(b"h" * 32)
    assert b"never written" not in body
    back = of_body(body)
    assert back is not None
    event, head = back
    assert (event.columns, head) == (kept(5).columns, b"h" * 32)
    assert event.parts[0].sealed == kept(5).parts[0].sealed
    assert event.parts[0].wrapped == b""


@pytest.mark.parametrize("body", [b"", b"\0\0\0\x05{}", b"\0\0\0\x02{}", b"\xff" * 40, kept(1).to_body(b"")[:-1]])
def test_nonsense_is_no_event(body: bytes) -> None:
    assert of_body(body) is None


def test_the_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        book = Journal(tmp_path, CHAIN)
        book.append([kept(number)], number, b"h")
        book.close()
    assert [path.name for path in segments(tmp_path)] == ["segment-00000001.log"]
    assert Journal(tmp_path, CHAIN).seq == 3
    assert tmp_path.joinpath("segment-00000001.log").stat().st_mode & 0o777 == 0o600


def test_nothing_is_appended_behind_a_torn_tail(tmp_path: Path) -> None:
    book = Journal(tmp_path, CHAIN)
    book.append([kept(1)], 1, b"h")
    book.append([kept(2)], 2, b"h")
    book.close()
    path = segments(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-10])
    again = Journal(tmp_path, CHAIN)
    assert again.seq == 1
    again.append([kept(2)], 2, b"h")
    again.close()
    assert [look(one).seq for one in segments(tmp_path)] == [1, 2]


def test_another_chain_has_segments_of_its_own(tmp_path: Path) -> None:
    book = Journal(tmp_path, CHAIN)
    book.append([kept(1)], 9, b"h")
    book.close()
    other = Journal(tmp_path, b"d" * 32)
    assert other.seq == 0
    other.append([kept(2)], 2, b"h")
    other.close()
    assert [look(path).chain for path in segments(tmp_path)] == [CHAIN, b"d" * 32]
    assert Journal(tmp_path, CHAIN).seq == 9


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 1000)
    book = Journal(tmp_path, CHAIN)
    rolled = [book.append([kept(number, 600)], number, b"h") for number in range(1, 6)]
    book.close()
    assert rolled == [True, False, True, False, True]
    assert len(segments(tmp_path)) == 3


def test_a_disk_that_refuses_leaves_no_half_frame_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Journal(tmp_path, CHAIN)
    book.append([kept(1)], 1, b"h")

    def refuses(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(journal.os, "write", refuses)
        with pytest.raises(OutboxUnavailable, match=r"No space left.*second_copy_dir"):
            book.append([kept(2)], 2, b"h")
    book.append([kept(2)], 2, b"h")
    book.close()
    assert Journal(tmp_path, CHAIN).seq == 2
    assert len(segments(tmp_path)) == 2
