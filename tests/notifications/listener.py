"""A partner's machine: a real HTTPS server in the test process, which keeps what it was sent and answers as it is told."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marketplace.notifications.reaching import Courier
from tests.answering import answering


@dataclass
class Listener:
    address: str
    courier: Courier
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    says: bytes = b"thank you"
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def listening(folder: Path) -> Iterator[Listener]:
    """Under a certificate for 127.0.0.1 that its courier trusts, and nobody else."""
    certificate = make_certificate(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=str(certificate))
    port = server.server_address[1]
    listener = Listener(f"https://127.0.0.1:{port}/events", Courier(lambda _address: True, trusting))
    server.listener = listener  # type: ignore[attr-defined]
    with answering(server):
        yield listener


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        listener: Listener = self.server.listener  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        listener.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(listener.status)
        for name, value in listener.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(listener.says)))
        self.end_headers()
        self.wfile.write(listener.says)

    def log_message(self, format: str, *args: Any) -> None:
        return


def make_certificate(folder: Path) -> Path:
    """Key and certificate in one file, good for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, private, plain)
    path = folder / "partner.pem"
    path.write_bytes(pem + built.public_bytes(serialization.Encoding.PEM))
    return path
