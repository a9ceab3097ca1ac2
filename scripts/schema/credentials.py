"""By what those who ask are known: a token, a key that the service made, or the session of somebody who signed in with one."""

import base64
import hashlib
import hmac
import http.client
import json
import re
import time
import urllib.parse


def token(secret, role):
    """A signed token (JWT, HS256) of somebody with this role."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    claims = {"sub": f"schema-{role}", "role": role, "exp": int(time.time()) + 3600}
    text = b".".join(part(json.dumps(value).encode()) for value in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return (text + b"." + part(signature)).decode()


def ask(url, method, path, headers, body=None):
    """The status, the headers and the body of an answer; nothing is followed."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


class Key:
    """An API key, just made by an admin."""

    def __init__(self, service, name, role):
        body = json.dumps({"name": f"schema {name}", "role": role, "expires_in_days": 1})
        by = {"X-Admin-Token": token(service.secret, "admin"), "Content-Type": "application/json"}
        status, _, made = ask(service.url, "POST", "/api/v1/keys", by, body)
        if status != 201:
            raise SystemExit(f"no key was made: {status} {made}")
        made = json.loads(made)
        self.id, self.text = made["id"], made["key"]


def cookie(headers, name):
    """What is sent back of a cookie that was set."""
    set_ones = headers.get_all("Set-Cookie") or []
    return next(one.split(";")[0] for one in set_ones if one.startswith(name + "="))


def session(service, key):
    """The headers of somebody who signed in with a key, as the page of the service sends them."""
    _, headers, page = ask(service.url, "GET", "/sign-in", {})
    proof = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    form = urllib.parse.urlencode({"token": key.text, "csrf_token": proof})
    by = {"Cookie": cookie(headers, "caller_id_form"), "Content-Type": "application/x-www-form-urlencoded"}
    status, headers, page = ask(service.url, "POST", "/sign-in", by, form)
    if status != 303:
        raise SystemExit(f"nobody was signed in: {status} {page}")
    kept = {"Cookie": cookie(headers, "caller_id_session")}
    _, _, me = ask(service.url, "GET", "/api/v1/me", kept)
    return kept | {"X-CSRF-Token": json.loads(me)["csrf_token"]}


def role(service, headers):
    """Who the service says they are; none where it does not know them."""
    status, _, me = ask(service.url, "GET", "/api/v1/me", headers)
    return json.loads(me)["role"] if status == 200 else None
