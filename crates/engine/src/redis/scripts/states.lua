-- The live state of several numbers. Nothing is changed.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 and on: numbers (15 digits each).
-- Reply {'states', then of each number: free from (-1: paused or retired, -2: it is not known), last use (0: never), uses in the
--   hour, uses today, reservations}; or {'days', pool, zone, now}.
local UNKNOWN, NEVER = -2, -1

local function state(digits)
    local n = number_of(digits)
    local pool = n and pool_of(n.pool)
    if not pool then return UNKNOWN, 0, 0, 0, 0 end
    local at = availability(n, pool)
    return at or NEVER, n.last_used, hour_count(n), day_count(n, pool), (live(n))
end

local function states()
    local reply = { 'states' }
    for place = 3, #ARGV do
        local to = #reply
        reply[to + 1], reply[to + 2], reply[to + 3], reply[to + 4], reply[to + 5] = state(ARGV[place])
    end
    return reply
end

return with_days(states)
