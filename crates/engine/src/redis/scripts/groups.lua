-- The groups that a pool has. Nothing is changed.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 pool.
-- Reply {'groups', their names}.
local pool, reply = { order = ORDERS .. ARGV[3] .. ':' }, { 'groups' }
for _, group in ipairs(call('ZRANGE', pool.order .. 'all', '0', '-1')) do reply[#reply + 1] = group end
for group in pairs(odd_groups(pool)) do reply[#reply + 1] = group end
return reply
