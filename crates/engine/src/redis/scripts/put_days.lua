-- Gives a pool its next local midnights.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 pool, 4 time zone, 5 consecutive midnights (6 bytes each).
-- Reply 1; 0 when there is no such pool, or it is in another zone by now.
local value = call('HGET', POOLS, ARGV[3])
local pool = value and read_pool(ARGV[3], value)
if not pool or pool.zone ~= ARGV[4] then return 0 end
call('HSET', POOLS, ARGV[3], sub(value, 1, pool.days - 1) .. ARGV[5])
return 1
