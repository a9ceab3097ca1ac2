#!/bin/sh
# Tests the OpenAPI document, and the service by it: schemathesis asks whatever the document allows and forbids, as every role, on
# SQLite and on Redis with PostgreSQL. SEED says which requests (another number, other ones), EXAMPLES how many of an operation.
set -eu
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
venv=$target/schema-venv
if ! cmp -s scripts/schema/requirements.txt "$venv/installed.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement scripts/schema/requirements.txt
    cp scripts/schema/requirements.txt "$venv/installed.txt"
fi

"${CARGO:-cargo}" build --quiet --package caller-id --locked
program=$(cd "$target" && pwd)/debug/caller-id
python=$venv/bin/python

"$python" -B scripts/schema/document.py
"$python" -B scripts/schema/run.py "$program" --seed "${SEED:-1}" --examples "${EXAMPLES:-8}"
"$python" -B scripts/schema/run.py "$program" --seed "${SEED:-1}" --examples 4 --store shared --phases examples,fuzzing,stateful
