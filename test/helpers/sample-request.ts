/**
 * A client as the original sample has it: PyJWT and requests, and nothing that knows of an emulator.
 * Prints the status code, the body, and its type.
 */
export const SAMPLE_REQUEST = {
  "client.py": `import json, os, time
import jwt, requests

def read_key():
    with open(os.environ["CREDS"]) as file:
        return json.load(file)

def sign(key, claims):
    now = int(time.time())
    claims = {"iss": key["client_email"], "sub": key["client_email"], "aud": key["token_uri"], "iat": now, "exp": now + 3600, **claims}
    return jwt.encode(claims, key["private_key"], algorithm="RS256", headers={"kid": key["private_key_id"]})

def exchange(key, claims):
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": sign(key, claims)}
    response = requests.post(key["token_uri"], data=form)
    response.raise_for_status()
    return response.json()
`,
  "sample_request.py": `import json, os
import requests
from client import exchange, read_key

url = os.environ["CLOUD_RUN_SERVICE_URL"]
token = exchange(read_key(), {"target_audience": url})["id_token"]
response = requests.get(url, headers={"Authorization": "Bearer " + token})
print(json.dumps({"status_code": response.status_code, "response": response.text, "type": response.headers["content-type"]}))
`,
};
