-- Who changed what. `link` is the hash of the entry and of all before it, SHA-256, 32 bytes: it proves that nothing was changed.
-- The trigger only keeps accidents away.
CREATE TABLE caller_id.audit (
    place       BIGINT PRIMARY KEY CHECK (place > 0),
    at          BIGINT NOT NULL,
    author_kind TEXT NOT NULL,
    author      TEXT COLLATE "C" NOT NULL,
    address     TEXT,
    action      TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    before      TEXT,
    after       TEXT,
    link        BYTEA NOT NULL CHECK (length(link) = 32)
);

CREATE INDEX audit_by_author ON caller_id.audit (author, place);
CREATE INDEX audit_by_subject ON caller_id.audit (subject, place);
-- Entries that may be of a number that is not their subject: these are looked into.
CREATE INDEX audit_of_many ON caller_id.audit (place)
    WHERE action IN ('numbers.import', 'numbers.update', 'numbers.delete', 'reservation.end');

CREATE FUNCTION caller_id.audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit log are never changed and never removed';
END $$;

CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON caller_id.audit
    FOR EACH STATEMENT EXECUTE FUNCTION caller_id.audit_is_only_added_to();

-- One row: the last entry. The next one follows it, also where somebody took the last ones out of the log. Whoever adds an
-- entry locks the row until the end of the transaction, and takes no other lock after it: so places have no holes.
CREATE TABLE caller_id.audit_head (
    place BIGINT NOT NULL,
    link  BYTEA NOT NULL CHECK (length(link) = 32)
);

INSERT INTO caller_id.audit_head (place, link) VALUES (0, decode(repeat('00', 32), 'hex'));

-- API keys, in the order they were made. `hash` is SHA-256 of the whole key; `addresses` and `campaigns` are JSON arrays.
-- Whoever changes keys locks the row `keys_revision` of `meta` first.
CREATE TABLE caller_id.keys (
    made         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           TEXT COLLATE "C" UNIQUE NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    role         TEXT NOT NULL,
    hash         BYTEA NOT NULL CHECK (length(hash) = 32),
    addresses    TEXT NOT NULL,
    campaigns    TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);

-- A name is free again when its key is revoked.
CREATE UNIQUE INDEX keys_by_name ON caller_id.keys (name) WHERE revoked_at IS NULL;

INSERT INTO caller_id.meta (key, value) VALUES ('keys_revision', 0);

-- People who are signed in. `hash` is SHA-256 of the cookie's value; `signed_in_by` is `provider`, `key:…` or `token:…`.
CREATE TABLE caller_id.sessions (
    hash         BYTEA PRIMARY KEY CHECK (length(hash) = 32),
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    signed_in_by TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);

-- One row: what cookies are signed with. An UUID has 122 random bits, of the kind that secrets are made of.
CREATE TABLE caller_id.cookie_key (
    key BYTEA NOT NULL CHECK (length(key) = 32)
);

INSERT INTO caller_id.cookie_key (key)
    SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));
