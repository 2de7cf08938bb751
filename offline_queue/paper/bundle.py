"""What lies in an export's archive: the form, the table, each exact record with its photos, and a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from offline_queue.answering import words
from offline_queue.answering.inquiry import Row
from offline_queue.paper.archive import Archive, new_archive
from offline_queue.paper.entry import Entry, entry_of
from offline_queue.paper.fonts import Font
from offline_queue.paper.heading import Heading
from offline_queue.paper.table import table

_READ_ME = """随住 Suizhu · 未送达的旅客住宿登记 / guest registrations not yet delivered

registrations.pdf   打印表格 / the form to print
registrations.csv   表格数据 (UTF-8) / the same as a table
records/            每条登记的原始报文, 与联网上传的内容逐字节相同 / each record's exact text, as it is sent
photos/             照片; .sealed 为密文 / photos; .sealed ones are encrypted to the recipient
manifest.json       导出信息及各文件 SHA-256 / who, when, why, and each file's hash

记录编号 (recordId) 唯一; 线路恢复后旅馆终端会自动补传, 按 recordId + revision 判重。
The kiosk sends every record itself when the line is back; recordId and revision tell a duplicate.
"""


@dataclass(slots=True)
class Contents:
    """What came into an archive."""

    records: int = 0
    sealed: int = 0
    """Encrypted to a recipient: the kiosk cannot read them."""
    unreadable: int = 0
    pages: int = 0
    """Of the form; 0 without one."""


def write(
    path: Path,
    passphrase: str,
    heading: Heading,
    rows: Iterable[Row],
    font: Font | None,
    said: Callable[[str], None] = lambda progress: None,
) -> Contents:
    """Write the archive. Everything is made in memory and sealed before it reaches the disk.

    Args:
        path: A new file.
        passphrase: Opens it.
        heading: Who, when, why.
        rows: Of ``taking``; an error they raise leaves no file behind.
        font: For the form; None leaves the form out.
        said: Told what is under way: thousands of records take half a minute.

    Raises:
        KioskError: From the rows, or the file cannot be written.
    """
    comment = f"Suizhu export {heading.export_id} of hotel {heading.hotel_code}; AES-256, open with 7-Zip"
    with new_archive(path, passphrase, comment) as archive:
        return _fill(archive, heading, rows, font, said)


def _fill(
    archive: Archive, heading: Heading, rows: Iterable[Row], font: Font | None, said: Callable[[str], None]
) -> Contents:
    contents, hashes, entries = Contents(), dict[str, str](), list[Entry]()
    said("reading what waits …")
    for row in rows:
        entry = entry_of(row)
        entries.append(entry)
        contents.records += 1
        contents.sealed += bool(entry.sealed_for)
        contents.unreadable += entry.text is None
        hashes |= _add_entry(archive, entry)
    hashes["registrations.csv"] = archive.add("registrations.csv", table(entries))
    if font is not None and entries:
        from offline_queue.paper.form import form  # a fifth of a second that an export without it need not pay

        said(f"drawing the form of {words.many(len(entries), 'record')} …")
        pdf, contents.pages = form(heading, entries, font)
        hashes["registrations.pdf"] = archive.add("registrations.pdf", pdf)
    archive.add("README.txt", _READ_ME.encode("utf-8-sig"))
    archive.add("manifest.json", _manifest(heading, contents, hashes))
    return contents


def _add_entry(archive: Archive, entry: Entry) -> dict[str, str]:
    files = {} if entry.text is None else {f"records/{entry.stem}.json": entry.text}
    suffix = "sealed" if entry.sealed_for else "jpg"
    files |= {f"photos/{entry.stem}-{kind}.{suffix}": photo for kind, photo in entry.photos.items()}
    return {name: archive.add(name, data) for name, data in files.items()}


def _manifest(heading: Heading, contents: Contents, hashes: dict[str, str]) -> bytes:
    told = {"export": asdict(heading), "contents": asdict(contents), "sha256": hashes}
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
