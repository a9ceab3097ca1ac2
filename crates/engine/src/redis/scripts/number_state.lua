-- The live state of one number.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 number (15 digits).
-- Reply {'state', free from (-1: paused or retired), last use (0: never), uses in the hour, uses today, reservations};
--   {'unknown'}; or {'days', pool, zone, now}.
local function state()
    local n = number_of(ARGV[3])
    local pool = n and pool_of(n.pool)
    if not pool then return { 'unknown' } end
    local at = availability(n, pool)
    return { 'state', at or -1, n.last_used, hour_count(n), day_count(n, pool), (live(n)) }
end

local reply = with_days(state)
write_clock()
return reply
