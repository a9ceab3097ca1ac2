"""What no schema can say, and schemathesis must know to ask well.

Good requests are made to fit what is there (a pool that exists, an instant that is still to come). Bad ones stay as they are.
"""

import datetime
import ipaddress
import itertools
import json
import os
import urllib.parse

import schemathesis

# Names are counted in bytes, a schema counts characters.
NAMES = {"pool": 64, "campaign": 128, "agent": 128, "call": 128, "call_id": 128, "carrier": 128}
PATH_NAMES = {"/api/v1/pools/{id}": 64, "/api/v1/campaigns/{id}": 128}
ZONES = itertools.cycle(["UTC", "America/Chicago", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"])
# Keys with which is asked.
KEYS = os.environ["CALLER_ID_KEYS"].split()
# Where those who ask are, of 131,072 addresses for tests (RFC 2544): each role has a part of its own.
FIRST_PLACE, COUNT_PLACES = int(os.environ["CALLER_ID_FIRST_PLACE"]), int(os.environ["CALLER_ID_COUNT_PLACES"])
PLACES = (str(ipaddress.ip_address("198.18.0.0") + place)
          for place in itertools.cycle(range(FIRST_PLACE, FIRST_PLACE + COUNT_PLACES)))


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def lines(ctx, response):
    """The first line: each is one of those that the schema describes."""
    text = response.content.decode()
    return json.loads(text.splitlines()[0]) if text else NUMBER


NUMBER = {
    "number": "+13125550100", "pool": "default", "status": "active", "resting_until": None, "carrier": None,
    "area_code": None, "attestation": None, "daily_limit": None, "hourly_limit": None, "meta": None,
}


@schemathesis.hook
def before_call(ctx, case, kwargs):
    # Who guesses waits, by address: that has tests of its own. Here nobody guesses twice from one place.
    case.headers["X-Forwarded-For"] = next(PLACES)
    if case.operation.label == "DELETE /api/v1/keys/{id}" and case.path_parameters.get("id") in KEYS:
        case.path_parameters["id"] = "000000000000"
    if case.meta is None or not case.meta.generation.mode.is_positive:
        spare(case)
        return
    if case.path_parameters and case.path in PATH_NAMES:
        fit_path(case.path_parameters, PATH_NAMES[case.path])
    if isinstance(case.query, dict):
        fit_query(case.path, case.query)
    if isinstance(case.body, dict):
        fit_body(case.operation.label, case.body)
        spare(case)


def spare(case):
    """Removes nothing of everything: there would be nothing left to ask for."""
    body = case.body
    if case.operation.label == "POST /api/v1/numbers/bulk" and isinstance(body, dict) and body.get("delete"):
        if body.get("all"):
            body["dry_run"] = True


def fit(values, name, most):
    """Cuts a name to so many bytes."""
    text = values.get(name)
    if isinstance(text, str) and len(text.encode()) > most:
        values[name] = text.encode()[:most].decode(errors="ignore")


def fit_path(values, most):
    """The same in a path, where a name is percent-encoded."""
    plain = urllib.parse.unquote_to_bytes(str(values.get("id", "")))
    if len(plain) > most:
        values["id"] = urllib.parse.quote(plain[:most].decode(errors="ignore"), safe="")


def fit_query(path, query):
    for name, most in NAMES.items():
        if path.startswith("/api/v1/numbers") and name == "pool" and isinstance(query.get(name), str):
            words = [word.encode()[:most].decode(errors="ignore") for word in query[name].split(",")]
            query[name] = ",".join(words)
        else:
            fit(query, name, most)
    # A cursor is one that an answer gave, in the list that it gave it for.
    if query.get("cursor"):
        query["cursor"] = ""
    if query.get("time_zone"):
        query["time_zone"] = next(ZONES)
    # Nothing is asked of a time that ends before it begins; and of area codes only those in the region.
    if query.get("since") and query.get("until"):
        del query["until"]
    if query.get("region") and query.get("area_code"):
        del query["area_code"]
    # No schema can ask for one parameter of some.
    if path == "/call-result" and not (query.get("call") or "").strip():
        query["call"] = "V1122120000000012345"
    # A flag without a value is refused: it would be taken for nothing given, and write.
    if path.endswith("/import") and query.get("dry_run") == "":
        query["dry_run"] = "true"


def fit_body(label, body):
    for name, most in NAMES.items():
        fit(body, name, most)
    if label == "PUT /api/v1/campaigns/{id}":
        body["pools"] = ["default"]
        body.pop("id", None)
    elif label == "PUT /api/v1/pools/{id}":
        if "policy" in body or set(body) & {"id", "effective", "warnings", "numbers"}:
            # All else follows from the policy.
            policy = body.get("policy")
            body.clear()
            body["policy"] = policy
        policy = body.get("policy", body)
        if isinstance(policy, dict) and policy.get("time_zone"):
            policy["time_zone"] = next(ZONES)
    elif label == "POST /api/v1/keys":
        fit_instant(body, "expires_at")
        for place, name in enumerate(body.get("campaigns") or []):
            body["campaigns"][place] = name.encode()[:128].decode(errors="ignore")
    elif label.endswith("/rest"):
        fit_instant(body, "until")
    elif label in ("POST /api/v1/numbers", "PATCH /api/v1/numbers/{number}", "POST /add-number"):
        fit_number(label, body)
    elif label == "POST /api/v1/numbers/bulk":
        fit_number(label, body["change"]) if isinstance(body.get("change"), dict) else None
        if isinstance(body.get("change"), dict) and not body["change"] and not body.get("delete"):
            body["change"]["carrier"] = "Carrier A"
        fit_filter(body.get("filter"))


def fit_number(label, body):
    # An area code is one that is in service.
    if body.get("area_code"):
        body["area_code"] = None
    if label.startswith(("PATCH", "POST /api/v1/numbers/bulk")) and "pool" in body:
        body["pool"] = "default"
    for name in ("pool", "carrier"):
        fit(body, name, NAMES[name])
    if label == "POST /add-number":
        return
    if body.get("status") == "resting":
        fit_instant(body, "resting_until", always=True)
    elif body.get("status") or not body.get("resting_until"):
        body.pop("resting_until", None)
    else:
        fit_instant(body, "resting_until")


def fit_instant(body, name, always=False):
    if always or body.get(name):
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        body[name] = later.isoformat()


def fit_filter(filter):
    if not isinstance(filter, dict):
        return
    if filter.get("region") and filter.get("area_code"):
        del filter["area_code"]
    if filter.get("no_carrier") in (False, "false", "0", 0) and len(filter) == 1:
        filter["no_carrier"] = True
    for name in ("pool", "carrier"):
        fit(filter, name, NAMES[name])
        if isinstance(filter.get(name), list):
            filter[name] = [word.encode()[:64].decode(errors="ignore") if isinstance(word, str) else word
                            for word in filter[name]]
