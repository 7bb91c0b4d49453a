import base64
import json
from typing import Mapping, Optional


def caller_email(headers: Mapping[str, str]) -> Optional[str]:
    """The e-mail address of the caller, or None where there is none.

    Cloud Run has verified the ID token before the request comes here, and has replaced its
    signature by SIGNATURE_REMOVED_BY_GOOGLE, so that it is of no use to whoever sees it. It cannot
    be verified again: it is only decoded, and what it says can be trusted only as long as the
    service is private. README.md says how a public one verifies.
    """
    # Where both are sent, Cloud Run checks X-Serverless-Authorization and leaves the other alone.
    credential = headers.get("X-Serverless-Authorization")
    if credential is None:
        credential = headers.get("Authorization", "")
    scheme, _, token = credential.strip().partition(" ")
    segments = token.strip().split(".")
    if scheme.lower() != "bearer" or len(segments) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(segments[1] + "=="))
    except (ValueError, RecursionError):
        return None
    email = claims.get("email") if isinstance(claims, dict) else None
    return email if isinstance(email, str) else None
