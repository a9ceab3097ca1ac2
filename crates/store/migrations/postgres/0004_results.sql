-- How a call went, when a dialer said so: when it did, how long the two talked and the call took, in seconds, the cause of the
-- hang-up (ITU-T Q.850) and the last answer (SIP). `call_end` is the status: the first that says something.
ALTER TABLE caller_id.allocations
    ADD COLUMN result_at        BIGINT,
    ADD COLUMN answered_seconds BIGINT,
    ADD COLUMN dialed_seconds   BIGINT,
    ADD COLUMN hangup_cause     INTEGER,
    ADD COLUMN sip_code         INTEGER;

CREATE INDEX allocations_by_call ON caller_id.allocations (call_id, id) WHERE call_id IS NOT NULL;
