-- Up to where the inventory is known, and what somebody began there and did not end.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 after how many milliseconds without a step it is taken for given up.
-- Reply the position; then the pools whose policy changed, whose numbers are not all in their places, and nobody is at it.
local reply = { call('GET', prefix .. KEY_INVENTORY) or NO_INVENTORY }
local waiting = call('ZRANGE', prefix .. KEY_UNSETTLED, '0', '-1', 'WITHSCORES')
for place = 1, #waiting, 2 do
    if tonumber(waiting[place + 1]) + tonumber(ARGV[3]) <= now then reply[#reply + 1] = waiting[place] end
end
return reply
