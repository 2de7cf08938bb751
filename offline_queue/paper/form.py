"""The export as a printable form, A4, made in memory. Chinese first: the reader is a police officer."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, WrapMode, XPos, YPos
from PIL import UnidentifiedImageError
from typing_extensions import override

from offline_queue.paper import grid, terms
from offline_queue.paper.entry import Entry
from offline_queue.paper.fonts import Font
from offline_queue.paper.grid import Cell
from offline_queue.paper.heading import Heading

_MARGIN, _WIDTH, _BOTTOM = 12.0, 186.0, 16.0
"""Millimetres, as everything below."""
_PHOTO_W, _PHOTO_H, _GAP = 21.0, 28.0, 2.0
_STRIP_X = 70.0
_LABEL_H, _LINE_H, _PAD, _STRIP_H, _SMALL_H = 3.6, 4.6, 0.8, 6.2, 4.2
_LABEL_PT, _VALUE_PT, _BIG_PT = 6.5, 9.5, 11.5
_GREY, _BLACK, _SHADE = 90, 0, 235

# It logs the characters that a font lacks: those of a guest's name
logging.getLogger("fpdf").setLevel(logging.CRITICAL)
logging.getLogger("fontTools").setLevel(logging.CRITICAL)


def form(heading: Heading, entries: Sequence[Entry], font: Font) -> tuple[bytes, int]:
    """Return the PDF and how many pages it has. Blocks about 10 ms for each entry."""
    page = _Form(heading, font)
    page.add_page()
    page.summary(entries)
    for number, entry in enumerate(entries, 1):
        page.entry(number, entry)
    page.signatures()
    return bytes(page.output()), page.pages_count


class _Form(FPDF):
    """Draws entries one under the other; one never breaks over two pages unless it is longer than a page."""

    def __init__(self, heading: Heading, font: Font) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self._heading = heading
        self._font = font
        self.add_font("han", fname=font.path, collection_font_number=font.index)
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=_BOTTOM)
        self.set_title(f"Suizhu export {heading.export_id}")

    @override
    def header(self) -> None:
        told = self._heading
        self._write(f"{told.hotel_zh} {told.hotel_en}　旅馆代码 {told.hotel_code}　终端 {told.kiosk_id}", 8, _WIDTH)
        self._pen(8)
        self.cell(_WIDTH, 4, f"{self.page_no()} / {{nb}} 页", align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._write(f"辖区派出所 {told.police_station}　导出时间 {told.exported_at}", 8, _WIDTH)
        self.ln(5)
        self.line(_MARGIN, self.get_y(), _MARGIN + _WIDTH, self.get_y())
        self.ln(2)

    @override
    def footer(self) -> None:
        told = self._heading
        self.set_y(-_BOTTOM + 3)
        self._write(f"导出人 {told.operator}　原因 {told.reason}", 7, _WIDTH)
        self.ln(4)
        self._write(f"导出编号 {told.export_id}　含公民个人信息,仅供公安机关登记使用,用毕依规保管或销毁", 7, _WIDTH)

    def summary(self, entries: Sequence[Entry]) -> None:
        """Say once what this is, why it is on paper, and what happens afterwards."""
        self._pen(17)
        self.cell(_WIDTH, 9, "旅客住宿登记　未送达清单", align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._pen(8, _GREY)
        told = "Guest registrations not yet delivered: paper fallback for the police station"
        self.cell(_WIDTH, 5, told, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        kinds = Counter(terms.OPS.get(entry.op, entry.op) for entry in entries)
        moments = sorted(terms.moment(str(entry.body.get("occurredAt", ""))) for entry in entries if entry.body)
        counted = "、".join(f"{kind} {n}" for kind, n in kinds.items())
        lines = [
            f"共 {len(entries)} 条: {counted}" + (f"　发生于 {moments[0]} 至 {moments[-1]}" if moments else ""),
            f"导出原因: {self._heading.reason}　导出人: {self._heading.operator}",
            *_remarks(entries),
            "以上登记保存在本机,线路恢复后将自动上传;如已据此表录入,以记录编号判重即可。",
        ]
        self.ln(1)
        self._pen(9.5)
        for line in lines:
            self.multi_cell(_WIDTH, 5, self._font.shown(line), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def entry(self, number: int, entry: Entry) -> None:
        """Draw one entry: a strip with what it is, the fields, the photos, the small print."""
        pictures = list(entry.pictures.items())
        width = _WIDTH - len(pictures) * (_PHOTO_W + _GAP)
        lines = grid.lines(grid.cells(entry)) or [[Cell("说明", _why_empty(entry), grid.UNITS)]]
        if entry.sealed_for:
            lines.insert(0, [Cell("说明", _why_empty(entry), grid.UNITS)])
        heights = [self._height(line, width) for line in lines]
        body = max(sum(heights), _PHOTO_H + _LABEL_H + 2 * _PAD if pictures else 0.0)
        if self.will_page_break(_STRIP_H + body + _SMALL_H):
            self.add_page()
        self._strip(number, entry)
        top = self.get_y()
        for line, height in zip(lines, heights, strict=True):
            self._line(line, width, height)
        self._photos(pictures, width, top)
        self._close(entry, top, body)

    def signatures(self) -> None:
        """Leave room for who hands it over and who takes it."""
        if self.will_page_break(24):
            self.add_page()
        self.ln(3)
        self._pen(9.5)
        for words, number in (("旅馆经办人签名", "工号"), ("接收民警签名　", "警号")):
            told = f"{words} ________________　　{number} ____________　　日期 ______年____月____日____时____分"
            self.cell(_WIDTH, 9, told, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    # -- pieces of an entry

    def _strip(self, number: int, entry: Entry) -> None:
        happened = terms.moment(str(entry.body.get("occurredAt", "")))
        left = f"{number}. {terms.OPS.get(entry.op, entry.op)}　{happened}"
        state = terms.STATES.get(entry.state, entry.state) + (f": {terms.answer(entry.answer)}" if entry.answer else "")
        due = f"应报时限 {terms.moment(entry.due_at)}{'(已超时)' if entry.overdue else ''}　{state}"
        self._pen(9.5)
        self.set_fill_color(_SHADE)
        top = self.get_y()
        self.cell(_WIDTH, _STRIP_H, self._font.shown(left), border=1, fill=True)
        self.set_xy(_MARGIN + _STRIP_X, top)
        self._fitted(due, _WIDTH - _STRIP_X, _STRIP_H, 8)
        self.set_xy(_MARGIN, top + _STRIP_H)

    def _height(self, line: Sequence[Cell], width: float) -> float:
        most = max(len(self._broken(cell, width)) for cell in line)
        return _LABEL_H + most * _LINE_H + _PAD

    def _broken(self, cell: Cell, width: float) -> list[str]:
        """Return the value in lines that fit: nothing is cut off, however long a name is."""
        self._pen(_BIG_PT if cell.prominent else _VALUE_PT)
        broken = self.multi_cell(
            width * cell.units / grid.UNITS,
            _LINE_H,
            self._font.shown(cell.value),
            dry_run=True,
            output=MethodReturnValue.LINES,
            wrapmode=WrapMode.WORD,
        )
        return list(broken) if isinstance(broken, list) else [str(broken)]

    def _line(self, line: Sequence[Cell], width: float, height: float) -> None:
        left, top = _MARGIN, self.get_y()
        for cell in line:
            wide = width * cell.units / grid.UNITS
            self.rect(left, top, wide, height)
            self.set_xy(left, top + 0.3)
            self._pen(_LABEL_PT, _GREY)
            self.cell(wide, _LABEL_H, self._font.shown(cell.label))
            for number, text in enumerate(self._broken(cell, width)):
                self.set_xy(left, top + _LABEL_H + number * _LINE_H)
                self.cell(wide, _LINE_H, text)
            left += wide
        self.set_xy(_MARGIN, top + height)

    def _photos(self, pictures: Sequence[tuple[str, bytes]], width: float, top: float) -> None:
        left = _MARGIN + width + _GAP / 2
        for kind, jpeg in pictures:
            words = "证件照" if kind == "id" else "现场照"
            try:
                self.image(BytesIO(jpeg), left, top + _PAD, _PHOTO_W, _PHOTO_H, keep_aspect_ratio=True)
            except (OSError, ValueError, UnidentifiedImageError):
                words += "无法显示"
            self.set_xy(left, top + _PAD + _PHOTO_H)
            self._pen(_LABEL_PT, _GREY)
            self.cell(_PHOTO_W, _LABEL_H, words, align="C")
            left += _PHOTO_W + _GAP

    def _close(self, entry: Entry, top: float, body: float) -> None:
        self.rect(_MARGIN, top, _WIDTH, body)
        self.set_xy(_MARGIN, top + body)
        self._fitted(grid.small_print(entry), _WIDTH, _SMALL_H, 6.5)
        self.set_xy(_MARGIN, top + body + _SMALL_H + 2)

    # -- pen

    def _pen(self, points: float, grey: int = _BLACK) -> None:
        self.set_font("han", size=points)
        self.set_text_color(grey)

    def _write(self, text: str, points: float, width: float) -> None:
        left, top = self.get_x(), self.get_y()
        self._fitted(text, width, 4, points)
        self.set_xy(left, top)

    def _fitted(self, text: str, width: float, height: float, points: float) -> None:
        """Write one line, smaller if it would not fit."""
        shown = self._font.shown(text)
        self._pen(points, _BLACK)
        wide = self.get_string_width(shown) + 2 * self.c_margin
        if wide > width:
            self._pen(points * width / wide)
        self.cell(width, height, shown)


def _remarks(entries: Sequence[Entry]) -> list[str]:
    sealed = sum(bool(entry.sealed_for) for entry in entries)
    closed = sum(entry.text is None for entry in entries)
    overdue = sum(entry.overdue for entry in entries)
    told = []
    if overdue:
        told.append(f"其中 {overdue} 条已超过法定报送时限。")
    if sealed:
        told.append(f"其中 {sealed} 条已加密给收件机关,本机无法阅读,密文见压缩包内 records 目录。")
    if closed:
        told.append(f"其中 {closed} 条本机无法解密,仅列编号,请联系技术支持。")
    return told


def _why_empty(entry: Entry) -> str:
    if entry.sealed_for:
        return f"旅客信息已加密给收件密钥 {entry.sealed_for},本机不能阅读;密文文件 records/{entry.stem}.json"
    if entry.text is None:
        return "本机无法解密此登记,内容请联系技术支持恢复"
    return "此记录没有旅客信息"
