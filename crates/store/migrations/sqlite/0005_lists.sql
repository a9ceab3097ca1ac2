-- Lists of numbers for people. The key is appended to each index: so a page of any filter, and of any order, is a walk.
CREATE INDEX numbers_by_area_code ON numbers (area_code);
CREATE INDEX numbers_by_carrier ON numbers (carrier);
CREATE INDEX numbers_by_pool ON numbers (pool);
CREATE INDEX numbers_by_status ON numbers (status);
CREATE INDEX numbers_by_created ON numbers (created_at);
CREATE INDEX numbers_by_updated ON numbers (updated_at);
-- Nobody asks for numbers that have none.
CREATE INDEX numbers_by_attestation ON numbers (attestation) WHERE attestation IS NOT NULL;

-- Numbers that were deleted, with what engines need to go on counting their uses: they come back, and their limits hold. A
-- number is in one of the two tables. Its pool may be gone.
CREATE TABLE removed_numbers (
    number       INTEGER PRIMARY KEY NOT NULL,
    area_code    INTEGER,
    pool         TEXT NOT NULL,
    daily_limit  INTEGER,
    hourly_limit INTEGER,
    revision     INTEGER NOT NULL,
    removed_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX removed_numbers_by_revision ON removed_numbers (revision);

-- Most allocations of one agent in a minute; 0 = no limit, NULL = the global setting.
ALTER TABLE campaigns ADD COLUMN agent_limit_per_minute INTEGER;
