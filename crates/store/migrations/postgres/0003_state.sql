-- Which state in Redis the numbers are handed out from, for all nodes that share one: its id; the node that recorded it, where
-- it found it, when; when a node saw it in Redis last, which each says every second; and whether the last node that held it left in order, so that nobody will come back to it. Who holds it
-- now has an advisory lock on the id. Empty: none is known; also after a node worked without Redis.
ALTER TABLE caller_id.owner
    ADD COLUMN state       BIGINT,
    ADD COLUMN state_node  TEXT NOT NULL DEFAULT '',
    ADD COLUMN state_at    TEXT NOT NULL DEFAULT '',
    ADD COLUMN state_since TIMESTAMPTZ NOT NULL DEFAULT now(),
    ADD COLUMN state_seen  TIMESTAMPTZ NOT NULL DEFAULT now(),
    ADD COLUMN state_left  BOOLEAN NOT NULL DEFAULT false;
