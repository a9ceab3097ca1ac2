"""A Redis and a PostgreSQL of one's own, reached through sockets in a folder, and gone with it."""

import contextlib
import os
import pathlib
import pwd
import subprocess
import tempfile
import time

START_SECONDS = 60


def program(name):
    """The newest of those that Debian and its kin keep, else the one in PATH."""
    versions = pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    return str(newest or name)


def wait(what, is_there):
    until = time.monotonic() + START_SECONDS
    while not is_there():
        if time.monotonic() > until:
            raise SystemExit(f"{what} did not start")
        time.sleep(0.02)


@contextlib.contextmanager
def running(words, **more):
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def postgres():
    # It refuses to be root.
    account = pwd.getpwnam("postgres") if os.getuid() == 0 else None
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    with tempfile.TemporaryDirectory(prefix="caller-id-pg") as folder:
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = f"{folder}/data"
        words = ["--no-sync", "--auth=trust", "--username=postgres", "--locale=C", "--encoding=UTF8", "-D", data]
        subprocess.run([program("initdb"), *words], check=True, cwd="/", stdout=subprocess.DEVNULL, **who)
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"]
        with running([program("postgres"), "-D", data, "-k", folder, *settings], cwd="/", **who):
            status = pathlib.Path(data, "postmaster.pid")
            def is_ready():
                try:
                    return "ready" in status.read_text()
                except OSError:
                    return False
            wait("PostgreSQL", is_ready)
            yield f"postgres://postgres@localhost/postgres?host={folder}"


@contextlib.contextmanager
def redis(folder):
    name = os.environ.get("CALLER_ID_REDIS_SERVER", "redis-server")
    path = folder / "redis.sock"
    settings = ["--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    with running([name, *settings]):
        wait("Redis", path.exists)
        yield f"unix://{path}"


@contextlib.contextmanager
def started(store, folder):
    """The settings with which a service finds its servers, as long as they run."""
    if store == "sqlite":
        yield {}
        return
    with postgres() as database, redis(folder) as state:
        yield {"DATABASE_URL": database, "REDIS_URL": state}
