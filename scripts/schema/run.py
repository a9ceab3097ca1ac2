"""Asks a running service whatever its OpenAPI document allows, and what it forbids, as everybody who may ask.

    run.py PROGRAM [--store sqlite|shared] [--examples COUNT] [--seed NUMBER] [--phases LIST] [--role NAME]

PROGRAM is the built `caller-id`. It runs on a free port of this machine with data in a temporary folder, all of which
is gone at the end; `shared` gives it a Redis and a PostgreSQL of its own, too. Ends with 1 on any finding.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import credentials
import servers

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Who asks. `nobody` has neither a key nor an address that is known, so that it is no dialer either; `session` is an operator
# who signed in; the viewer has a signed token, all others have API keys.
ROLES = ["nobody", "dialer", "viewer", "operator", "admin", "session"]
START_SECONDS = 60
# How many addresses somebody asks from, so that nobody guesses twice from one of them.
PLACES = 20_000
# A run that hangs ends here; it takes a minute at most.
RUN_SECONDS = 600
# Bodies can be very long.
LINE_MOST = 2000


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Service:
    """A running service with example numbers, its secret, and where it is."""

    def __init__(self, program, folder, shared):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.secret = secrets.token_hex(32)
        self.log = folder / "service.log"
        self.keys = []
        environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:{folder / 'caller-id.db'}",
            "API_PORT": self.url.rsplit(":", 1)[1],
            "AGI_LISTEN": "off",
            "JWT_SECRET": self.secret,
            "TRUSTED_PROXIES": "127.0.0.1",
            # Else most calls would be refused after the first minute.
            "AGENT_RATE_LIMIT_PER_MIN": "0",
            "CALLER_ID_COOLDOWN_SECONDS": "0",
            "LOG_LEVEL": "warn",
            # What is looked for are wrong answers, on a machine that may be busy: not slow ones.
            "REDIS_TIMEOUT_MS": "10000",
            "REQUEST_DEADLINE_MS": "20000",
        } | shared
        example = ROOT / "data" / "caller_ids_example.csv"
        words = [program, "import", "--mode", "db", "--csv", str(example)]
        subprocess.run(words, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([program, "serve"], env=environment, cwd=folder, stdout=log, stderr=log)
        self.wait()

    def wait(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + "/ready", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise SystemExit(f"the service did not start:\n{self.log.read_text()}")

    def headers(self, role):
        """By what somebody with this role is known."""
        if role == "nobody":
            return {}
        if role == "viewer":
            return {"Authorization": f"Bearer {credentials.token(self.secret, role)}"}
        key = credentials.Key(self, role, "operator" if role == "session" else role)
        self.keys.append(key.id)
        return credentials.session(self, key) if role == "session" else {"X-API-Key": key.text}

    def stop(self):
        """Whether it ran until now, and stopped as it should."""
        ran = self.process.poll() is None
        self.process.terminate()
        try:
            return self.process.wait(30) == 0 and ran
        except subprocess.TimeoutExpired:
            self.process.kill()
            return False


def ask(service, role, headers, options):
    """One run of schemathesis: whether it found nothing, and what it printed."""
    phases, examples = options.phases, options.examples
    if role == "session":
        # Routes are the operator's: what differs is by what somebody is known.
        phases, examples = "examples,fuzzing", max(1, examples // 2)
    words = [
        sys.executable, "-m", "schemathesis.cli",
        "--config-file", str(HERE / "schemathesis.toml"),
        "run", str(ROOT / "docs" / "openapi.json"),
        "--url", service.url,
        "--phases", phases,
        "--max-examples", str(examples),
        "--seed", str(options.seed),
        "--continue-on-failure",
        "--no-color",
        "--generation-database", "none",
        "--request-timeout", "20",
    ]
    for name, value in headers.items():
        words += ["--header", f"{name}: {value}"]
    if role == "session":
        # It would be over.
        words += ["--exclude-path", "/sign-out"]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "PYTHONHASHSEED": str(options.seed % 2**32),
        "PYTHONDONTWRITEBYTECODE": "1", "CALLER_ID_KEYS": " ".join(service.keys),
        "CALLER_ID_FIRST_PLACE": str(ROLES.index(role) * PLACES), "CALLER_ID_COUNT_PLACES": str(PLACES),
    }
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(words, env=environment, cwd=empty, text=True, timeout=RUN_SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    known = credentials.role(service, headers)
    passed, printed = done.returncode == 0, done.stdout
    expected = {"nobody": None, "session": "operator"}.get(role, role)
    if known != expected:
        passed, printed = False, f"{printed}\nnot known as {expected} any more, but as {known}"
    return passed, printed, time.monotonic() - began


def cases(printed):
    found = re.search(r"(\d+) generated", printed)
    return int(found.group(1)) if found else 0


def main():
    words = argparse.ArgumentParser()
    words.add_argument("program")
    words.add_argument("--store", choices=["sqlite", "shared"], default="sqlite")
    words.add_argument("--examples", type=int, default=10)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    words.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    words.add_argument("--role", choices=ROLES, action="append")
    options = words.parse_args()
    roles = options.role or ROLES
    print(f"schema, {options.store}: seed {options.seed}, at most {options.examples} examples an operation", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="caller-id-schema"))
    good = True
    try:
        with servers.started(options.store, folder) as shared:
            service = Service(options.program, folder, shared)
            total = 0
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                headers = {role: service.headers(role) for role in roles}
                runs = {role: pool.submit(ask, service, role, headers[role], options) for role in roles}
                for role, run in runs.items():
                    passed, printed, seconds = run.result()
                    total += cases(printed)
                    print(f"schema, {options.store}, {role}: {cases(printed)} cases in {seconds:.0f} s, "
                          f"{'no finding' if passed else 'FAILED'}", flush=True)
                    if not passed or cases(printed) == 0:
                        good = False
                        print("\n".join(line[:LINE_MOST] for line in printed.splitlines()), flush=True)
            print(f"schema, {options.store}: {total} cases")
            stopped = service.stop()
            log = service.log.read_text()
            if not stopped or "panicked" in log or " ERROR " in log:
                good = False
                print(f"the service did not run and stop as it should:\n{log[-4000:]}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if good else 1)


main()
