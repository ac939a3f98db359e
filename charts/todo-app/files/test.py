"""What `helm test` runs in the cluster: an account, a login and a task, through the backend's Service. Nothing stays behind."""

import json
import os
import secrets
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

BACKEND = os.environ["BACKEND"]


def call(method, path, want, body=None, token=None):
    """Send a request and give what the answer's JSON holds. Ends the test where the status is not the one wanted."""
    request = Request(BACKEND + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read()
    except HTTPError as error:
        with error:
            status, text = error.code, error.read()
        print(text[:1000].decode(errors="replace"))  # no error repeats what was sent
    except OSError as error:
        sys.exit(f"{method} {path}: {error}")
    if status != want:
        sys.exit(f"{method} {path}: got {status}, want {want}")
    print(f"{method} {path}: {status}")
    return json.loads(text) if text else None


def tasks(token, want):
    """Check that the account has these tasks and no others."""
    page = call("GET", "/api/tasks", 200, token=token)
    if page["items"] != want or page["total"] != len(want):
        sys.exit(f"the list has {page}, want {want}")


def main():
    """Do what a new user does."""
    account = {"email": f"helm-test-{secrets.token_hex(8)}@example.com", "password": secrets.token_urlsafe(24)}
    token = call("POST", "/api/auth/register", 201, account)["access_token"]
    try:
        token = call("POST", "/api/auth/login", 200, account)["access_token"]
        made = call("POST", "/api/tasks", 201, {"title": "helm test"}, token)
        tasks(token, [made])
        changed = call("PATCH", "/api/tasks/" + made["id"], 200, {"completed": True}, token)
        if not changed["completed"] or changed["title"] != made["title"]:
            sys.exit(f"the task is {changed}, want it completed")
        tasks(token, [changed])
        call("DELETE", "/api/tasks/" + made["id"], 204, token=token)
        tasks(token, [])
    finally:
        call("DELETE", "/api/auth/me", 204, {"password": account["password"]}, token)


main()
