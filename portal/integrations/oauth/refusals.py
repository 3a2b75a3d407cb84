"""What Microsoft's sign-in says no with, and what a person does about it.

Numbers: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes (AADSTS...); names: RFC 6749
section 5.2 and RFC 8628 section 3.5.
"""

from __future__ import annotations

SIGN_IN_AGAIN = "Microsoft has ended the sign-in for this mailbox. Sign in again."
USED_UP = "This address has expired, or was used before. Begin to sign in again."
NOT_SIGNED_IN = "Nobody has signed in for this mailbox yet. Sign in."
NO_TENANT = "Microsoft does not know this tenant. Check the tenant ID, and the cloud."

_SECRETLESS = (
    "This application needs its client secret. Enter it, or, where a person signs in, allow public client flows under "
    "Authentication in Microsoft Entra."
)
_CONSENT = (
    "Nobody has consented to what this application may do. Let an administrator grant it: in Microsoft Entra, "
    "API permissions, Grant admin consent."
)
_WHOLE = "Microsoft cannot read this answer. Copy the whole address, or begin to sign in again."
_POLICY = "A Conditional Access policy of your tenant blocks this sign-in. Ask whoever looks after Microsoft Entra."

BY_NUMBER = {
    "7000215": "Microsoft refuses the client secret. Enter its value, not its id.",
    "7000222": "The client secret has expired. Make a new one in Microsoft Entra and enter it.",
    "700016": "Microsoft does not know this application in this tenant. Check the client ID and the tenant.",
    "90002": NO_TENANT,
    "900023": NO_TENANT,
    "7000218": _SECRETLESS,
    "7000216": _SECRETLESS,
    "700025": "With this redirect address the application takes no client secret. Under Authentication in Microsoft "
    "Entra, move the address from Mobile and desktop applications to Web.",
    "9002327": "The redirect address is registered as a single-page application. Under Authentication in Microsoft "
    "Entra, move it to Web.",
    "50011": "The redirect address is not registered. Add it under Authentication in Microsoft Entra.",
    "65001": _CONSENT,
    "65004": "The sign-in was declined. Begin again.",
    "90094": _CONSENT,
    "500011": "Microsoft does not know Graph in this tenant. Check the cloud.",
    "50020": "This account belongs to another tenant. Sign in with one of yours.",
    "90072": "This account belongs to another tenant. Sign in with one of yours.",
    "50034": "This account does not exist in this tenant. Check the tenant, and who signs in.",
    "50053": "This account is locked. Try again later, or ask whoever looks after Microsoft Entra.",
    "50055": "The password of this account has expired. Change it, then sign in again.",
    "50057": "This account is disabled in Microsoft Entra.",
    "50105": "This account is not assigned to the application in Microsoft Entra.",
    "7000112": "The application is disabled in Microsoft Entra.",
    "50076": "Microsoft asks for a second factor. Sign in again.",
    "50079": "Microsoft asks for a second factor. Sign in again.",
    "50078": "Microsoft asks for the second factor again. Sign in again.",
    "700082": "The sign-in was not used for 90 days and has ended. Sign in again.",
    "70043": "A sign-in frequency policy of your tenant has ended the sign-in. Sign in again, or let the application "
    "sign in by its own right.",
    "53000": _POLICY,
    "53001": _POLICY,
    "53003": _POLICY,
    "530032": _POLICY,
    "530036": _POLICY,
    "54005": USED_UP,
    "70000": _WHOLE,
    "9002313": _WHOLE,
}
BY_NAME = {
    "invalid_grant": SIGN_IN_AGAIN,
    "interaction_required": SIGN_IN_AGAIN,
    "consent_required": _CONSENT,
    "authorization_declined": "The sign-in was declined. Begin again.",
    "access_denied": "The sign-in was declined. Begin again.",
    "expired_token": "The code was not entered in time. Begin again.",
    "code_expired": "The code was not entered in time. Begin again.",
}
# These pass by themselves.
PASSING = frozenset(("90033", "90055", "50196", "temporarily_unavailable", "server_error", "slow_down"))
