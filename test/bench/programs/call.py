"""The way of the Python programs: requests and PyJWT. Arguments: the key file, the service's URL."""

import json
import sys
import time

import jwt
import requests

file, url = sys.argv[1:]
with open(file) as source:
    key = json.load(source)
now = int(time.time())
claims = {"iss": key["client_email"], "aud": key["token_uri"], "iat": now, "exp": now + 3600, "target_audience": url}
assertion = jwt.encode(claims, key["private_key"], algorithm="RS256", headers={"kid": key["private_key_id"]})
form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
answer = requests.post(key["token_uri"], data=form)
answer.raise_for_status()
answer = requests.get(url, headers={"Authorization": "Bearer " + answer.json()["id_token"]})
answer.raise_for_status()
print(json.dumps({"status_code": answer.status_code, "response": answer.json()}))
