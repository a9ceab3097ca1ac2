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
