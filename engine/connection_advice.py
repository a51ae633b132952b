"""Advice on a gateway that cannot be reached, from the failure's message. Pure."""

CHECK = "check the base URL, and that the gateway is up."
_CAUSES = (
    ("hostname mismatch", "its certificate is for another host name: check the base URL."),
    ("certificate is not valid for", "its certificate is for another host name: check the base "
     "URL."),
    ("ip address mismatch", "its certificate is not for this address: use the gateway's host "
     "name."),
    ("certificate has expired", "its certificate has expired: it must be renewed there."),
    ("certificate_verify_failed", "its certificate is from an authority that is not trusted here: "
     "give your company's bundle (PEM) with --ca-file, or in SSL_CERT_FILE."),
    ("certificate_required", "it asks for a certificate of ours: give --client-cert and "
     "--client-key."),
    ("certificate required", "it asks for a certificate of ours: give --client-cert and "
     "--client-key."),
    ("alert_bad_certificate", "it does not accept our certificate: see to --client-cert and "
     "--client-key."),
    ("alert_unknown_ca", "it does not accept our certificate, which is from an authority it does "
     "not know: see to --client-cert."),
    ("handshake_failure", "it ends the TLS handshake: it may ask for a certificate of ours "
     "(--client-cert, --client-key)."),
    ("the proxy refused the tunnel: http/1.1 403", "the proxy forbids this host: have it allowed, "
     "or name it in NO_PROXY if it can be reached without."),
    ("wrong_version_number", "it answers without TLS: does the base URL begin with http://, or the "
     "proxy of HTTPS_PROXY?"),
)  # fmt: skip

_UNCONNECTED = ("connectionrefused", "connection refused", "gaierror", "name or service not known",
                "no route to host", "network is unreachable", "connecttimeout")  # fmt: skip
"""Failures to connect: where a proxy is asked, it is what was not reached."""


def login(proxy: str) -> str:
    """Advice on HTTP 407."""
    return (
        f"the proxy {proxy} requires a login (HTTP 407): set "
        "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT (HTTP_PROXY for an http gateway), with "
        "special characters percent-encoded."
    )


def remedy(words: str, proxy: str = "", *, bare_tls: bool = False) -> str:
    """The sentence that ends an error, by what it says; `proxy` is the one that was asked.

    `bare_tls`: over TLS, with no certificate of ours.
    """
    message = words.lower()
    if bare_tls and (
        "closed before any answer" in message or "reset" in message or "eof" in message
    ):
        return (
            "it ended the TLS connection without a word: give --client-cert and --client-key if it "
            "asks for a certificate of ours; else " + CHECK
        )
    if proxy and " 407" in message:
        return login(proxy)
    if proxy and any(mark in message for mark in _UNCONNECTED):
        return (
            f"the connection goes to the proxy {proxy} of the environment: check HTTPS_PROXY "
            "(HTTP_PROXY for an http gateway), or name the host in NO_PROXY if it can be reached "
            "without."
        )
    return next((what for mark, what in _CAUSES if mark in message), CHECK)
