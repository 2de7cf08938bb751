"""Certificates and keys of one run: an own CA, a server and a client certificate, a device key, a receipt key.

Elliptic keys, because an RSA key costs a second of the start. Everything says "Suizhu sandbox", so that a
kiosk in production can refuse it.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kiosk.sm2 import Sm2PrivateKey

ORGANISATION = "Suizhu sandbox"
"""Organisation in the subject of every sandbox certificate."""

SLACK = timedelta(days=7)
"""Certificates begin this long ago, so that tests may set the clock back."""
LIFE = timedelta(days=30)
YESTERDAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pki:
    """The files of one run, PEM, private keys 0600."""

    ca_file: Path
    server_cert_file: Path
    server_key_file: Path
    client_cert_file: Path
    client_key_file: Path
    device_key_file: Path
    device_sm2_key_file: Path
    """The same device's other key, for a kiosk with the Chinese algorithms."""
    receipt_private_key_file: Path
    receipt_key_file: Path
    stranger_cert_file: Path
    """A server certificate of another CA, with its key: nobody here trusts it."""
    stranger_key_file: Path
    expired_cert_file: Path
    """The server's certificate of before, with the same key: it ended yesterday."""


def keep(folder: Path, device_id: str) -> Pki:
    """Return what lies in ``folder``; made anew when it is not whole or ends within a day.

    A sandbox that was killed comes back with the certificates that its kiosks trust.
    """
    pki = _files(folder)
    if not all(getattr(pki, name).is_file() for name in pki.__slots__):
        return make(folder, device_id)
    ends = x509.load_pem_x509_certificate(pki.ca_file.read_bytes()).not_valid_after_utc
    return pki if ends > datetime.now(UTC) + timedelta(days=1) else make(folder, device_id)


def make(folder: Path, device_id: str) -> Pki:
    """Make everything anew in ``folder`` (0700). The CA's private key is never written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    pki = _files(folder)
    pki.ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    server_key, client_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    _issue(pki.server_cert_file, "loopback", server_key, authority, authority_key, server=True)
    _issue(pki.client_cert_file, device_id, client_key, authority, authority_key, server=False)
    stranger_key = ec.generate_private_key(ec.SECP256R1())
    _issue(pki.stranger_cert_file, "loopback", server_key, _authority(stranger_key), stranger_key, server=True)
    write_private_key(pki.stranger_key_file, server_key)
    _issue(pki.expired_cert_file, "loopback", server_key, authority, authority_key, server=True, life=-YESTERDAY)
    device_key, receipt_key = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    write_private_key(pki.server_key_file, server_key)
    write_private_key(pki.client_key_file, client_key)
    write_private_key(pki.device_key_file, device_key)
    _write_private(pki.device_sm2_key_file, Sm2PrivateKey.generate().to_pem())
    write_private_key(pki.receipt_private_key_file, receipt_key)
    pki.receipt_key_file.write_text(public_pem(receipt_key.public_key()), encoding="ascii")
    return pki


@dataclass(frozen=True, slots=True)
class DeviceAuthority:
    """Issues client certificates to devices that are activated. Its private key is never written."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def new(cls) -> DeviceAuthority:
        """Make one for this run."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(_authority(key), key)

    @property
    def pem(self) -> str:
        """Its own certificate, which a server must trust."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def issue(self, device_id: str, key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> str:
        """Return a client certificate for this key, PEM."""
        certificate = _certificate(device_id, key, self.certificate, self.key, server=False)
        return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _files(folder: Path) -> Pki:
    return Pki(
        ca_file=folder / "ca.pem",
        server_cert_file=folder / "server.pem",
        server_key_file=folder / "server.key",
        client_cert_file=folder / "client.pem",
        client_key_file=folder / "client.key",
        device_key_file=folder / "device.key",
        device_sm2_key_file=folder / "device-sm2.key",
        receipt_private_key_file=folder / "receipts.key",
        receipt_key_file=folder / "receipts.pub",
        stranger_cert_file=folder / "stranger.pem",
        stranger_key_file=folder / "stranger.key",
        expired_cert_file=folder / "expired.pem",
    )


def write_private_key(path: Path, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
    """Write an unencrypted PKCS #8 PEM that nobody else can read, not even for a moment."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_private(path, pem)


def _write_private(path: Path, pem: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)


def public_pem(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> str:
    """Return the public key as SubjectPublicKeyInfo PEM."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _begin(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    life: timedelta = LIFE,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _subject("Suizhu sandbox CA, not for production")
    builder = _begin(name, key.public_key(), name, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage(authority=True), critical=True).sign(key, hashes.SHA256())


def _issue(
    path: Path,
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    server: bool,
    life: timedelta = LIFE,
) -> None:
    certificate = _certificate(common_name, key.public_key(), authority, authority_key, server=server, life=life)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _certificate(
    common_name: str,
    key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    server: bool,
    life: timedelta = LIFE,
) -> x509.Certificate:
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = _begin(_subject(common_name), key, authority.subject, authority_key, life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if server:
        loopback = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        builder = builder.add_extension(x509.SubjectAlternativeName(loopback), critical=False)
    return builder.sign(authority_key, hashes.SHA256())
