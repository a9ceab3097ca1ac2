-- How many events of the journal wait, for how long the oldest of them, and how many are set aside.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server.
-- Reply {events, milliseconds, events set aside}.
local aside = call('XLEN', prefix .. KEY_ASIDE)
local first = call('XRANGE', journal, '-', '+', 'COUNT', '1')[1]
if not first then return { 0, 0, aside } end
local since = tonumber(string.match(first[1], '^%d+'))
return { count_waiting(), math.max(0, wall_now - since), aside }
