-- One row: who opened the database last. `epoch` grows with each opening, so that a node whose session was lost learns
-- whether another one worked meanwhile. The right to work is an advisory lock, not this row.
CREATE TABLE caller_id.owner (
    epoch BIGINT NOT NULL,
    node  TEXT NOT NULL,
    since TIMESTAMPTZ NOT NULL
);

INSERT INTO caller_id.owner (epoch, node, since) VALUES (0, '', now());
