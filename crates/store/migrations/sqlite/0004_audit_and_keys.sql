-- Who changed what. `link` is the hash of the entry and of all before it, SHA-256, 32 bytes: it proves that nothing was changed.
-- The triggers only keep accidents away.
CREATE TABLE audit (
    place       INTEGER PRIMARY KEY NOT NULL CHECK (place > 0),
    at          INTEGER NOT NULL,
    author_kind TEXT NOT NULL,
    author      TEXT NOT NULL,
    address     TEXT,
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    before      TEXT,
    after       TEXT,
    link        BLOB NOT NULL CHECK (length(link) = 32)
) STRICT;

-- SQLite appends the key, so each of these is in the order of places.
CREATE INDEX audit_by_author ON audit (author);
CREATE INDEX audit_by_subject ON audit (subject);
-- Entries that may be of a number that is not their subject: these are looked into.
CREATE INDEX audit_of_many ON audit (place)
    WHERE action IN ('numbers.import', 'numbers.update', 'numbers.delete', 'reservation.end');

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are never changed');
END;

CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are never removed');
END;

-- One row: the last entry. The next one follows it, also where somebody took the last ones out of the log.
CREATE TABLE audit_head (
    place INTEGER NOT NULL,
    link  BLOB NOT NULL CHECK (length(link) = 32)
) STRICT;

INSERT INTO audit_head (place, link) VALUES (0, zeroblob(32));

-- API keys, in the order they were made. `hash` is SHA-256 of the whole key; `addresses` and `campaigns` are JSON arrays.
CREATE TABLE keys (
    made         INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id           TEXT UNIQUE NOT NULL,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    hash         BLOB NOT NULL CHECK (length(hash) = 32),
    addresses    TEXT NOT NULL,
    campaigns    TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT;

-- A name is free again when its key is revoked.
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked_at IS NULL;

INSERT INTO meta (key, value) VALUES ('keys_revision', 0);

-- People who are signed in. `hash` is SHA-256 of the cookie's value; `signed_in_by` is `provider`, `key:…` or `token:…`.
CREATE TABLE sessions (
    hash         BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    signed_in_by TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: what cookies are signed with.
CREATE TABLE cookie_key (
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

INSERT INTO cookie_key (key) VALUES (randomblob(32));
