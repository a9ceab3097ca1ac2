-- Phone numbers are stored as INTEGER: the digits of E.164 without the plus (at most 15 of them, so they fit). They are
-- half as long as text, compare faster, make `numbers` an ordinary rowid table, and sort as the program sorts them.
-- Instants are INTEGER milliseconds since 1970-01-01T00:00:00Z.

-- Counters and marks: the inventory's revision, and how far the journal is moved into history.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES
    ('revision', 1), ('pools_revision', 1), ('campaigns_revision', 0), ('applied_seq', 0);

CREATE TABLE pools (
    id     TEXT PRIMARY KEY NOT NULL,
    policy TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO pools (id, policy) VALUES ('default', '{}');

-- `pools` is a JSON array of names, first choice first.
CREATE TABLE campaigns (
    id    TEXT PRIMARY KEY NOT NULL,
    pools TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE numbers (
    number        INTEGER PRIMARY KEY NOT NULL,
    area_code     INTEGER,
    carrier       TEXT,
    attestation   TEXT,
    status        TEXT NOT NULL CHECK (status IN ('active', 'paused', 'resting', 'retired')),
    resting_until INTEGER,
    pool          TEXT NOT NULL REFERENCES pools (id),
    daily_limit   INTEGER,
    hourly_limit  INTEGER,
    meta          TEXT,
    revision      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    CHECK ((status = 'resting') = (resting_until IS NOT NULL))
) STRICT;

-- SQLite appends the key, so this is the order (revision, number) in which changes are paged.
CREATE INDEX numbers_by_revision ON numbers (revision);

-- `id` is a UUID of version 7 as 16 bytes: its order is the order of time.
CREATE TABLE allocations (
    id             BLOB PRIMARY KEY NOT NULL,
    at             INTEGER NOT NULL,
    number         INTEGER NOT NULL,
    destination    INTEGER NOT NULL,
    campaign       TEXT,
    agent          TEXT,
    call_id        TEXT,
    pool           TEXT NOT NULL,
    rung           TEXT NOT NULL,
    reserved_until INTEGER NOT NULL,
    ended_at       INTEGER,
    call_end       TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX allocations_by_number ON allocations (number, at);
CREATE INDEX allocations_by_destination ON allocations (destination, at);
