"""Why nothing came of dialling a hub: nobody answers there, or its certificate can't be trusted.

The first is a matter of Wi-Fi and addresses, the second of dates and of who runs the hub: people need other words for it.
"""

import ssl

from hubd.errors import RemoteError

_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # as the Wi-Fi does at any time


def tls_trouble(error: BaseException | None) -> str:
    """What TLS found wrong, for engineers; "" where it was nothing of TLS. Libraries wrap its errors in their own."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, ssl.SSLError) and not isinstance(error, _HUNG_UP):
            return error.reason or "no TLS"
        error = error.__cause__ or error.__context__
    return ""


def unreached(error: Exception) -> RemoteError:
    """`hub-certificate` or `hub-unreachable`, for what a library says of a hub that could not be talked with."""
    if trouble := tls_trouble(error):
        return RemoteError("hub-certificate", trouble, hint="is the date right, and is the name the certificate's?")
    return RemoteError(
        "hub-unreachable", type(error).__name__, hint="is this phone in the hub's Wi-Fi, and the address right?"
    )
