-- Takes, or keeps, the work of rebuilding the state.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 node, 4 for how long, in milliseconds, 5 how far it is (empty: as before).
-- Reply 1; 0 while another node has it, or nothing is to be rebuilt.
if not lost then return 0 end
local key = prefix .. KEY_REBUILD
local node, ends = redis.call('HGET', key, 'node'), tonumber(redis.call('HGET', key, 'ends') or 0)
if node and node ~= ARGV[3] and now < ends then return 0 end
redis.call('HSET', key, 'node', ARGV[3], 'ends', string.format('%.0f', now + tonumber(ARGV[4])))
if ARGV[5] ~= '' then redis.call('HSET', key, 'phase', ARGV[5]) end
write_clock()
return 1
