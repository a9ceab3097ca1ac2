-- Gives what all nodes counted in steps of time that follow one another.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 the first step, 4 how many.
-- Reply for each step a text: a line of each node, its name, a blank, and what it counted.
local keys = {}
for at = 1, tonumber(ARGV[4]) do keys[at] = prefix .. KEY_PULSE .. string.format('%.0f', tonumber(ARGV[3]) + at - 1) end
local told = redis.call('MGET', unpack(keys))
for at = 1, #keys do told[at] = told[at] or '' end
return told
