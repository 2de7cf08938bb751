"""zbar's core in binary mode. pyzbar's own ``decode`` makes a scanner that alters bytes; its bindings do not have to.

libzbar may be missing on a machine: then there is no core, and the other decoder works alone.
"""

from __future__ import annotations

import ctypes
import functools
import logging
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

BINARY = 4
"""ZBAR_CFG_BINARY of zbar.h (0.23.1 and later), which pyzbar does not name: data without any conversion."""
_ENABLE = 0
_ALL_SYMBOLOGIES = 0
_Y800 = int.from_bytes(b"Y800", "little")
"""zbar's name for 8-bit gray."""

Symbol = tuple[bytes, tuple[tuple[int, int], ...]]


class ZbarCore:
    """One scanner for QR symbols. Used by one thread."""

    def __init__(self, wrapper: ModuleType) -> None:
        self._zbar = wrapper
        self._scanner = wrapper.zbar_image_scanner_create()
        qr = wrapper.ZBarSymbol.QRCODE
        for symbology, config, value in ((_ALL_SYMBOLOGIES, _ENABLE, 0), (qr, _ENABLE, 1), (qr, BINARY, 1)):
            if wrapper.zbar_image_scanner_set_config(self._scanner, symbology, config, value) != 0:
                raise OSError(f"libzbar refuses configuration {config}: 0.23.1 or later is needed")

    def read(self, gray: NDArray[np.uint8]) -> list[Symbol]:
        """Return payload and corners of each symbol. ``gray`` is contiguous."""
        zbar, (height, width) = self._zbar, gray.shape
        image = zbar.zbar_image_create()
        try:
            zbar.zbar_image_set_format(image, _Y800)
            zbar.zbar_image_set_size(image, width, height)
            zbar.zbar_image_set_data(image, gray.ctypes.data, gray.size, None)
            if zbar.zbar_scan_image(self._scanner, image) <= 0:
                return []
            return self._symbols(image)
        finally:
            zbar.zbar_image_destroy(image)

    def _symbols(self, image: object) -> list[Symbol]:
        zbar = self._zbar
        found = []
        symbol = zbar.zbar_image_first_symbol(image)
        while symbol:
            size = zbar.zbar_symbol_get_data_length(symbol)
            payload = ctypes.string_at(zbar.zbar_symbol_get_data(symbol), size)
            corners = tuple(
                (zbar.zbar_symbol_get_loc_x(symbol, n), zbar.zbar_symbol_get_loc_y(symbol, n))
                for n in range(zbar.zbar_symbol_get_loc_size(symbol))
            )
            found.append((payload, corners))
            symbol = zbar.zbar_symbol_next(symbol)
        return found


@functools.cache
def zbar_core() -> ZbarCore | None:
    """Return this process's core, or None where libzbar is missing or too old (logged once)."""
    try:
        from pyzbar import wrapper

        return ZbarCore(wrapper)
    except (ImportError, OSError) as error:
        log.warning("codes are read by zxing-cpp alone: %s; apt-get install libzbar0 mends it", error)
        return None
