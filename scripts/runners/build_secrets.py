"""What an image's build needs behind a company's walls, and must not keep: certificates, mirrors and proxies."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Iterator, List

# Either spelling is read by some of the programs that a build runs; engines keep these out of an image's history.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
# Where systems keep the certificates they trust, a company's own among them.
SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
# An address may hold a password, so it travels as a secret and not as an argument.
ADDRESSES = {"index_url": ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"), "debian_mirror": ("DEBIAN_MIRROR",)}


@contextlib.contextmanager
def options() -> Iterator[List[str]]:
    """The build options, for Docker and for Podman, that hand over what this process's environment variables say."""
    given = [f"--build-arg={name}" for name in PROXIES if os.environ.get(name)]
    certificates = _certificates()
    if certificates:
        given.append(_secret("ca_certificates", certificates))
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        for name, variables in ADDRESSES.items():
            value = next(filter(None, map(os.environ.get, variables)), None)
            if value:
                path = Path(folder, name)
                path.write_text(value)
                given.append(_secret(name, str(path)))
        yield given


def _certificates() -> str:
    named = [os.environ.get(name, "") for name in CERTIFICATE_VARIABLES]
    return next((path for path in [*named, *SYSTEM_CERTIFICATES] if path and os.path.isfile(path)), "")


def _secret(name: str, path: str) -> str:
    return f"--secret=id={name},src={path}"
