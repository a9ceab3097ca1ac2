-- Phone numbers are BIGINT: the digits of E.164 without the plus. Instants are BIGINT milliseconds since
-- 1970-01-01T00:00:00Z. Texts compare by their bytes (collation "C"), as the program compares them.

-- Counters and marks of the inventory. Whoever changes the inventory locks the row `revision` first.
CREATE TABLE caller_id.meta (
    key   TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO caller_id.meta (key, value) VALUES
    ('revision', 1), ('pools_revision', 1), ('campaigns_revision', 0);

CREATE TABLE caller_id.pools (
    id     TEXT COLLATE "C" PRIMARY KEY,
    policy TEXT NOT NULL
);

INSERT INTO caller_id.pools (id, policy) VALUES ('default', '{}');

-- `pools` is a JSON array of names, first choice first.
CREATE TABLE caller_id.campaigns (
    id    TEXT COLLATE "C" PRIMARY KEY,
    pools TEXT NOT NULL
);

CREATE TABLE caller_id.numbers (
    number        BIGINT PRIMARY KEY,
    area_code     INTEGER,
    carrier       TEXT,
    attestation   TEXT,
    status        TEXT NOT NULL CHECK (status IN ('active', 'paused', 'resting', 'retired')),
    resting_until BIGINT,
    pool          TEXT COLLATE "C" NOT NULL REFERENCES caller_id.pools (id),
    daily_limit   INTEGER,
    hourly_limit  INTEGER,
    meta          TEXT,
    revision      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    CHECK ((status = 'resting') = (resting_until IS NOT NULL))
);

-- The order in which changes are paged.
CREATE INDEX numbers_by_revision ON caller_id.numbers (revision, number);

-- `id` is a UUID of version 7: it begins with the instant of the allocation, so ranges of ids are spans of time, and the
-- key of each part keeps ids unique over all of them. The parts, one a week, are made by the program.
CREATE TABLE caller_id.allocations (
    id             UUID NOT NULL,
    at             BIGINT NOT NULL,
    number         BIGINT NOT NULL,
    destination    BIGINT NOT NULL,
    reserved_until BIGINT NOT NULL,
    ended_at       BIGINT,
    campaign       TEXT,
    agent          TEXT,
    call_id        TEXT,
    pool           TEXT NOT NULL,
    rung           TEXT NOT NULL,
    call_end       TEXT,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

-- With the id in them, the latest of a number are found in the newest part that has any.
CREATE INDEX allocations_by_number ON caller_id.allocations (number, id);
CREATE INDEX allocations_by_destination ON caller_id.allocations (destination, id);
