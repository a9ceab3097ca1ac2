-- Calls, counted, so that counting months takes no look at each of them. They outlive the allocations they were counted from.
-- `hour` and `day` are where they begin, in UTC. An empty text is: none.

-- By hour, pool and campaign: all of them (`what` = 0), and apart by the area code of the destination (1), the carrier of the
-- number (2), the rung (3), which is `key`. Each is read alone, so one table of all combinations would have many more rows to read.
-- By hour alone: the area code and the rung together (4), with a blank between them; pool and campaign are empty.
-- The same by quarters of an hour, for zones whose days begin there: `what` is 10 more, and `hour` is where the quarter begins.
CREATE TABLE sums_by_hour (
    what             INTEGER NOT NULL,
    hour             INTEGER NOT NULL,
    pool             TEXT NOT NULL,
    campaign         TEXT NOT NULL,
    key              TEXT NOT NULL,
    calls            INTEGER NOT NULL,
    answered         INTEGER NOT NULL,
    busy             INTEGER NOT NULL,
    no_answer        INTEGER NOT NULL,
    cancelled        INTEGER NOT NULL,
    failed           INTEGER NOT NULL,
    answered_seconds INTEGER NOT NULL,
    PRIMARY KEY (what, hour, pool, campaign, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE sums_by_day (
    day              INTEGER NOT NULL,
    number           INTEGER NOT NULL,
    calls            INTEGER NOT NULL,
    answered         INTEGER NOT NULL,
    busy             INTEGER NOT NULL,
    no_answer        INTEGER NOT NULL,
    cancelled        INTEGER NOT NULL,
    failed           INTEGER NOT NULL,
    answered_seconds INTEGER NOT NULL,
    PRIMARY KEY (day, number)
) STRICT, WITHOUT ROWID;

-- Up to where that is done: soon after an hour or a day, and again when nobody says anything more of it.
INSERT INTO meta (key, value) VALUES
    ('summed_hours', 0), ('summed_days', 0), ('summed_hours_again', 0), ('summed_days_again', 0);
