-- How a call went, when a dialer said so: when it did, how long the two talked and the call took, in seconds, the cause of the
-- hang-up (ITU-T Q.850) and the last answer (SIP). `call_end` is the status: the first that says something.
ALTER TABLE allocations ADD COLUMN result_at INTEGER;
ALTER TABLE allocations ADD COLUMN answered_seconds INTEGER;
ALTER TABLE allocations ADD COLUMN dialed_seconds INTEGER;
ALTER TABLE allocations ADD COLUMN hangup_cause INTEGER;
ALTER TABLE allocations ADD COLUMN sip_code INTEGER;

-- The key is appended, so the latest of a call is found at once.
CREATE INDEX allocations_by_call ON allocations (call_id) WHERE call_id IS NOT NULL;
