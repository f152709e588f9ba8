"""A certificate authority of one's own, for servers on this machine."""

import datetime as dt
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey

# Python 3.13 and newer trust no CA that does not say so, and no certificate that does not say by whom it is.
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Issues certificates that only those trust who have its own, `pem`."""

    def __init__(self, name: str = "offpath test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        own = self._signed(self._name, self._key)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.pem = _pem(own.add_extension(_SIGNS_CERTIFICATES, critical=True), self._key)

    def certify(self, server: ssl.SSLContext, folder: Path) -> None:
        """Give a server a new certificate for 127.0.0.1: its next handshake shows it."""
        path = folder / "server.pem"
        self._write(x509.IPAddress(ip_address("127.0.0.1")), path=path)
        server.load_cert_chain(path)

    def write_certificate(self, names: Sequence[str], path: Path) -> None:
        """Write a new certificate for these host names to a file, in PEM, after its private key."""
        self._write(*map(x509.DNSName, names), path=path)

    def _write(self, *subjects: x509.GeneralName, path: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        built = self._signed(_named("offpath test server"), key)
        built = built.add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        path.touch(mode=0o600)
        path.write_bytes(_private(key) + _pem(built.add_extension(issuer, critical=False), self._key))

    def _signed(self, subject: x509.Name, key: Key) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )


def server_context(authority: Authority, folder: Path) -> ssl.SSLContext:
    """A server's context, with a certificate of that authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.certify(context, folder)
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(builder: x509.CertificateBuilder, key: Key) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _private(key: Key) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())
