-- Lets another node be the one that tells people what is wrong with all.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 node.
-- Reply whether it was the one: 1 or 0.
local key = prefix .. KEY_ALERTS_LEAD
if redis.call('GET', key) ~= ARGV[3] then return 0 end
return redis.call('DEL', key)
