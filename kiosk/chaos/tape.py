"""What was done to the files of one folder, in order, and what a power cut may have left of it. Pure.

Durable is what a sync of its own file followed. Of everything else a cut keeps what the dice say: whole writes
or single sectors of 512 bytes, in any order, and a file's new length, its name or its end with or without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import TypeAlias

SECTOR = 512

Folder: TypeAlias = dict[str, bytes]
"""File names, with those of inner folders before them, and their bytes."""


@dataclass(frozen=True, slots=True)
class Write:
    name: str
    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cut:
    """The file's new length, shorter or longer."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Name:
    """A file came by this name (``was`` is where it lay before, if anywhere), or went."""

    name: str
    there: bool
    was: str = ""


@dataclass(frozen=True, slots=True)
class Sync:
    """Everything done to this file before is durable, its name too (a new file's first sync carries it)."""

    name: str


@dataclass(frozen=True, slots=True)
class SyncNames:
    """A folder was synced: the names in it are durable. The empty name is the outermost one."""

    folder: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A sync of this file failed: what it should have written may never come to the disk."""

    name: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A step of the play ended here: it was acknowledged."""

    step: int


Change: TypeAlias = Write | Cut | Name
Op: TypeAlias = Change | Sync | SyncNames | Lost | Mark


class Mood(StrEnum):
    """How a cut treats what was not synced."""

    KEEP = "keeps all"
    DROP = "drops all"
    PREFIX = "keeps the first ones"
    SOME = "keeps some writes, in any order"
    TEAR = "tears writes at sectors"
    LATE = "keeps the last ones only"


@dataclass(slots=True)
class Surface:
    """The disk while the tape runs: what is durable, and what is only in its cache."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    cached: list[Change] = field(default_factory=list)
    step: int = -1
    """The last step that was acknowledged."""

    def take(self, op: Op) -> None:
        """Let one thing happen."""
        match op:
            case Mark(step):
                self.step = step
            case Sync(name):
                self._flush(lambda change: change.name == name)
            case SyncNames(folder):
                self._flush(lambda change: isinstance(change, Name) and change.name.rpartition("/")[0] == folder)
            case Lost(name):
                self.cached = [change for change in self.cached if change.name != name or isinstance(change, Name)]
            case _:
                self.cached.append(op)

    def after_cut(self, dice: Random, mood: Mood) -> Folder:
        """What the next start may find. The same dice give the same sectors."""
        left = {name: bytearray(data) for name, data in self.durable.items()}
        for change in _kept(self.cached, dice, mood):
            _apply(left, change)
        return {name: bytes(data) for name, data in left.items()}

    def _flush(self, whose: Callable[[Change], bool]) -> None:
        waiting: list[Change] = []
        for change in self.cached:
            if whose(change):
                _apply(self.durable, change)
            else:
                waiting.append(change)
        self.cached = waiting


def _kept(changes: list[Change], dice: Random, mood: Mood) -> Iterator[Change]:
    match mood:
        case Mood.KEEP:
            yield from changes
        case Mood.DROP:
            pass
        case Mood.PREFIX:
            yield from changes[: dice.randint(0, len(changes))]
        case Mood.LATE:
            yield from changes[dice.randint(0, len(changes)) :]
        case Mood.SOME:
            share = dice.random()
            yield from (change for change in changes if dice.random() < share)
        case Mood.TEAR:
            share = dice.random()
            for change in changes:
                yield from _torn(change, dice, share)


def _torn(change: Change, dice: Random, share: float) -> Iterator[Change]:
    if not isinstance(change, Write):
        if dice.random() < share:
            yield change
        return
    begin, end = change.offset, change.offset + len(change.data)
    for at in range(begin - begin % SECTOR, end, SECTOR):
        if dice.random() < share:
            first, last = max(at, begin), min(at + SECTOR, end)
            yield Write(change.name, first, change.data[first - begin : last - begin])


def _apply(files: dict[str, bytearray], change: Change) -> None:
    match change:
        case Name(name, there, was):
            if not there:
                files.pop(name, None)
            elif was:
                if was in files:
                    files[name] = files.pop(was)
            else:
                files.setdefault(name, bytearray())
        case Cut(name, size):
            data = files.setdefault(name, bytearray())
            data.extend(bytes(max(0, size - len(data))))
            del data[size:]
        case Write(name, offset, new):
            data = files.setdefault(name, bytearray())
            data.extend(bytes(max(0, offset - len(data))))
            data[offset : offset + len(new)] = new
