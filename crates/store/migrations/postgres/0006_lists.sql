-- Lists of numbers for people: texts compare by their bytes, and with the number behind it a page of any filter, and of any
-- order, is a walk along an index.
ALTER TABLE caller_id.numbers
    ALTER COLUMN carrier TYPE TEXT COLLATE "C",
    ALTER COLUMN status TYPE TEXT COLLATE "C";

CREATE INDEX numbers_by_area_code ON caller_id.numbers (area_code, number);
CREATE INDEX numbers_by_carrier ON caller_id.numbers (carrier, number);
CREATE INDEX numbers_by_pool ON caller_id.numbers (pool, number);
CREATE INDEX numbers_by_status ON caller_id.numbers (status, number);
CREATE INDEX numbers_by_created ON caller_id.numbers (created_at, number);
CREATE INDEX numbers_by_updated ON caller_id.numbers (updated_at, number);
-- Nobody asks for numbers that have none.
CREATE INDEX numbers_by_attestation ON caller_id.numbers (attestation, number) WHERE attestation IS NOT NULL;

-- Numbers that were deleted, with what engines need to go on counting their uses: they come back, and their limits hold. A
-- number is in one of the two tables. Its pool may be gone.
CREATE TABLE caller_id.removed_numbers (
    number       BIGINT PRIMARY KEY,
    area_code    INTEGER,
    pool         TEXT COLLATE "C" NOT NULL,
    daily_limit  INTEGER,
    hourly_limit INTEGER,
    revision     BIGINT NOT NULL,
    removed_at   BIGINT NOT NULL
);

CREATE INDEX removed_numbers_by_revision ON caller_id.removed_numbers (revision, number);

-- Most allocations of one agent in a minute; 0 = no limit, NULL = the global setting.
ALTER TABLE caller_id.campaigns ADD COLUMN agent_limit_per_minute INTEGER;
