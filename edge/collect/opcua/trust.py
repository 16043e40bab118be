"""Trust: whether a server's certificate is one that the site named, or is signed by one.

OPC 10000-4 §6.1.3: signature and trust list, validity, host name, application URI, in this order; an error of any ends
the session before a name or password is sent. Revocation lists are not read: take a certificate that was lost out of
``ca_file``.
"""

import datetime as dt
from collections.abc import Sequence
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding


def judge_certificate(
    shown: x509.Certificate, trusted: Sequence[x509.Certificate], *, host: str, uri: str, now_ns: int
) -> str:
    """Give why a server's certificate is not trusted, as a sentence; empty where it is.

    Args:
        shown: The server's.
        trusted: Of ``ca_file``.
        host: Name or address of the server, as the site has it.
        uri: Application URI that the server gives itself.
        now_ns: Wall clock.
    """
    issuer = next((one for one in trusted if one.public_bytes(Encoding.DER) == shown.public_bytes(Encoding.DER)), None)
    is_itself = issuer is not None
    if issuer is None:
        issuer = next((one for one in trusted if _has_issued(one, shown)), None)
    if issuer is None:
        return "the server's certificate is none of ca_file and signed by none of them"
    now = dt.datetime.fromtimestamp(now_ns / 1e9, dt.UTC)
    for one in (shown, issuer):
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            since, until = one.not_valid_before_utc, one.not_valid_after_utc
            return f"certificate {one.subject.rfc4514_string()} is valid from {since:%Y-%m-%d} to {until:%Y-%m-%d}"
    names = _names(shown)
    if uri not in names.get_values_for_type(x509.UniformResourceIdentifier):
        return f"the server's certificate is not that of application {uri}"
    if not is_itself and not _has_host(names, host):
        return f"the server's certificate is not that of host {host}"
    return ""


def _has_issued(issuer: x509.Certificate, shown: x509.Certificate) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        shown.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return constraints.ca


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _has_host(names: x509.SubjectAlternativeName, host: str) -> bool:
    try:
        return ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        return host.casefold() in (name.casefold() for name in names.get_values_for_type(x509.DNSName))


def application_uri(certificate: x509.Certificate) -> str:
    """Give the application URI that a certificate names; empty where it names none."""
    found = _names(certificate).get_values_for_type(x509.UniformResourceIdentifier)
    return found[0] if found else ""
