"""Who takes which export away, when and why: what stands on each page and in the archive's manifest."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.config import KioskSection


@dataclass(frozen=True, slots=True)
class Heading:
    """Names the hotel, the kiosk and a clerk; of guests nothing."""

    hotel_zh: str
    hotel_en: str
    hotel_code: str
    kiosk_id: str
    police_station: str
    exported_at: str
    """``2026-11-24 03:12``, the hotel's time with its offset behind it."""
    operator: str
    reason: str
    export_id: str
    """32 hex digits, as in the audit."""

    @classmethod
    def of(cls, kiosk: KioskSection, *, exported_at: str, operator: str, reason: str, export_id: str) -> Heading:
        return cls(
            *(kiosk.hotel_name_zh, kiosk.hotel_name_en, kiosk.hotel_code, kiosk.kiosk_id, kiosk.police_station),
            *(exported_at, operator, reason, export_id),
        )
