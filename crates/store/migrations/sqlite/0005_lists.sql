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
