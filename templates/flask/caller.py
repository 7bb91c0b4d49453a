import base64
import json
from typing import Mapping, Optional


def caller_email(headers: Mapping[str, str]) -> Optional[str]:
    """The caller's email address, or None if the request has no ID token with one.

    Cloud Run has already verified the ID token and replaced its signature with
    SIGNATURE_REMOVED_BY_GOOGLE, so this only decodes it. Don't trust the result in a
    public service: see README.md, "Identify the caller".
    """
    # If both headers are present, Cloud Run checks X-Serverless-Authorization only.
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
