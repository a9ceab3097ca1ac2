"""Whether docs/openapi.json is a good OpenAPI 3.1 document: valid, with roles and examples that fit what they are examples of."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.readers import read_from_filename

PATH = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
# Bodies whose form is a file's: a text says nothing of it.
METHODS = {"get", "put", "post", "patch", "delete"}
# Pages for people.
PAGES = {"text/html"}


def misfits(document, example, schema):
    """How an example does not fit its schema, with the components that the schema refers to."""
    whole = schema | {"components": document["components"]}
    checker = Draft202012Validator.FORMAT_CHECKER
    return [error.message for error in Draft202012Validator(whole, format_checker=checker).iter_errors(example)]


def contents(operation):
    """Each body of an operation: what it is called, its kind and what is said of it."""
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", kind, content
    for status, answer in operation["responses"].items():
        if not answer.get("description"):
            yield f"{status} without description", "", {}
        for kind, content in answer.get("content", {}).items():
            yield status, kind, content


def faults(document):
    if document["openapi"].split(".")[:2] != ["3", "1"]:
        yield "not OpenAPI 3.1"
    for error in OpenAPIV31SpecValidator(document).iter_errors():
        yield f"not valid: {error}"
    schemes = set(document["components"]["securitySchemes"])
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = f"{method.upper()} {path}"
            if method not in METHODS:
                yield f"{name}: which method?"
                continue
            if "Roles: " not in operation.get("description", ""):
                yield f"{name}: does not say who may ask"
            ways = {scheme for way in operation.get("security", []) for scheme in way}
            if ways and ways != schemes:
                yield f"{name}: by {sorted(ways)} alone"
            for where, kind, content in contents(operation):
                if kind in PAGES:
                    continue
                if "example" not in content:
                    yield f"{name}: {where} {kind} without example"
                elif kind not in ("text/csv", "application/x-ndjson"):
                    for why in misfits(document, content["example"], content["schema"]):
                        yield f"{name}: {where} {kind}: the example does not fit: {why}"


def main():
    document, _ = read_from_filename(str(PATH))
    found = list(faults(json.loads(json.dumps(document))))
    print("\n".join(found) or f"schema: {PATH.name} is valid, {len(document['paths'])} paths, an example of every body fits")
    sys.exit(bool(found))


main()
