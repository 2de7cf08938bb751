"""Why a call over TLS brought no answer: an exception of ``requests``, sorted by what lies beneath it. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from enum import StrEnum

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError


class Cause(StrEnum):
    """Why there was no answer."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    CUT = "cut"


def cause_of(error: BaseException) -> Cause:
    """Sort an error by what lies beneath it."""
    if not isinstance(error, requests.RequestException | HTTPError | ValueError):
        return Cause.TLS  # a certificate file that is not there comes as a bare OSError
    kinds = list(_beneath(error))
    if any(isinstance(kind, ssl.SSLEOFError | ssl.SSLZeroReturnError) for kind in kinds):
        return Cause.CUT  # the other side ended, which says nothing of certificates
    if any(isinstance(kind, requests.exceptions.SSLError | ssl.CertificateError) for kind in kinds):
        return Cause.TLS
    if any(isinstance(kind, NewConnectionError | ConnectTimeoutError) for kind in kinds):
        return Cause.UNREACHABLE
    if any(isinstance(kind, requests.Timeout | TimeoutError) for kind in kinds):
        return Cause.TIMEOUT
    return Cause.CUT


def detail_of(error: BaseException) -> str:
    """Name the check of TLS that failed, in OpenSSL's fixed words: ``certificate has expired``; empty for others.

    What OpenSSL says of a certificate may go on with a name out of it: that part is left out.
    """
    for one in _beneath(error):
        for kind in (one, *one.args):  # urllib3 keeps OpenSSL's error as an argument only
            if isinstance(kind, ssl.SSLCertVerificationError):
                return kind.verify_message.partition(", certificate ")[0].lower()[:60]
            if isinstance(kind, ssl.SSLError) and kind.reason:
                return kind.reason.replace("_", " ").lower()[:60]
    return "file missing or not readable" if cause_of(error) is Cause.TLS else ""


def _beneath(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        one = one.__cause__ or one.__context__
