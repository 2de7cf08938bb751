"""Codes that pay. Guests show them by mistake; they are named so that the words can help."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from kiosk.credentials import resident_id

_HOSTS = (
    "alipay.com",
    "alipay.net",
    "wx.tenpay.com",
    "payapp.weixin.qq.com",
    "pay.weixin.qq.com",
    "95516.com",
    "unionpay.com",
)
_SCHEMES = ("alipays://", "alipay://", "wxp://", "weixin://wxpay", "uppaywallet://", "upwallet://")
_BARCODE = re.compile(r"(?:2[5-9]|30)[0-9]{14,22}|1[0-5][0-9]{16}|62[0-9]{14,17}", re.ASCII)
"""Numbers shown to be scanned by a till: Alipay 25–30 (16 to 24 digits), WeChat 10–15 (18), UnionPay 62 (16 to 19)."""
_EMV = re.compile(r"000201[0-9]{4}.{20,}", re.DOTALL)
"""EMVCo merchant code: payload format indicator 01 first."""


def is_payment(payload: bytes) -> bool:
    """Say whether the payload is a payment code of a usual kind."""
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        return False
    if text.lower().startswith(_SCHEMES) or _EMV.match(text):
        return True
    if _BARCODE.fullmatch(text):
        return not resident_id.is_valid(text)  # 18 digits from 11 to 15 also begin the numbers of northern provinces
    try:
        host = (urlsplit(text).hostname or "").lower()
    except ValueError:
        return False
    return any(host == known or host.endswith("." + known) for known in _HOSTS)
