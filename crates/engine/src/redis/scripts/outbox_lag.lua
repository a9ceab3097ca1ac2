-- How many events of the journal wait, and for how long the oldest of them.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server.
-- Reply {events, milliseconds}.
local key = prefix .. KEY_JOURNAL
local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
if not first then return { 0, 0 } end
local since = tonumber(string.match(first[1], '^%d+'))
return { redis.call('XLEN', key), math.max(0, wall_clock() - since) }
