-- Calls, counted, so that counting months takes no look at each of them. They outlive the allocations they were counted from.
-- `hour` and `day` are where they begin, in UTC. An empty text is: none.

-- By hour, pool and campaign: all of them (`what` = 0), and apart by the area code of the destination (1), the carrier of the
-- number (2), the rung (3), which is `key`. Each is read alone, so one table of all combinations would have many more rows to read.
-- By hour alone: the area code and the rung together (4), with a blank between them; pool and campaign are empty.
-- The same by quarters of an hour, for zones whose days begin there: `what` is 10 more, and `hour` is where the quarter begins.
CREATE TABLE caller_id.sums_by_hour (
    what             SMALLINT NOT NULL,
    hour             BIGINT NOT NULL,
    pool             TEXT COLLATE "C" NOT NULL,
    campaign         TEXT COLLATE "C" NOT NULL,
    key              TEXT COLLATE "C" NOT NULL,
    calls            BIGINT NOT NULL,
    answered         BIGINT NOT NULL,
    busy             BIGINT NOT NULL,
    no_answer        BIGINT NOT NULL,
    cancelled        BIGINT NOT NULL,
    failed           BIGINT NOT NULL,
    answered_seconds BIGINT NOT NULL,
    PRIMARY KEY (what, hour, pool, campaign, key)
);

CREATE TABLE caller_id.sums_by_day (
    day              BIGINT NOT NULL,
    number           BIGINT NOT NULL,
    calls            BIGINT NOT NULL,
    answered         BIGINT NOT NULL,
    busy             BIGINT NOT NULL,
    no_answer        BIGINT NOT NULL,
    cancelled        BIGINT NOT NULL,
    failed           BIGINT NOT NULL,
    answered_seconds BIGINT NOT NULL,
    PRIMARY KEY (day, number)
);

-- Up to where that is done: soon after an hour or a day, and again when nobody says anything more of it.
INSERT INTO caller_id.meta (key, value) VALUES
    ('summed_hours', 0), ('summed_days', 0), ('summed_hours_again', 0), ('summed_days_again', 0);
