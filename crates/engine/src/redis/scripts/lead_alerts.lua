-- Makes a node the one that tells people what is wrong with all, or keeps it so; gives what was told.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 node, 4 for how long it stays the one, in milliseconds, 5 what is told by now (`+` in front;
--   empty: as it was), 6 for how long that is kept, in milliseconds.
-- Reply {what was told}; or {} while another node is the one.
local key = prefix .. KEY_ALERTS_LEAD
local lead = redis.call('GET', key)
if lead and lead ~= ARGV[3] then return {} end
-- Who has deleted something may write even where memory is used up: that, too, is to be told.
redis.call('DEL', key)
redis.call('SET', key, ARGV[3], 'PX', ARGV[4])
if ARGV[5] ~= '' then redis.call('SET', prefix .. KEY_ALERTS, string.sub(ARGV[5], 2), 'PX', ARGV[6]) end
return { redis.call('GET', prefix .. KEY_ALERTS) or '' }
