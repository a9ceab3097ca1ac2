-- Puts the next numbers of a pool whose policy has changed into their right places.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 pool, 4 generation of its policy, 5 where to go on (begin with 0).
-- Reply {'more', where to go on}; {'done'} after the last, or when another policy has come since; or {'days', …}.
local ABOUT = 100

local function reindex()
    local pool = pool_of(ARGV[3])
    if not pool or pool.stale == 0 or pool.generation ~= tonumber(ARGV[4]) then return { 'done' } end
    local scanned = redis.call('ZSCAN', pool.all, ARGV[5], 'COUNT', ABOUT)
    local found = scanned[2]
    for at = 1, #found, 2 do
        local n = number_of(found[at])
        if n and n.pool == pool.name then
            place(n, pool)
        else
            redis.call('ZREM', pool.all, found[at])
        end
    end
    if scanned[1] ~= '0' then return { 'more', scanned[1] } end
    local value = struct.pack('>BB', FORMAT, 0) .. string.sub(pool.value, 3)
    redis.call('HSET', prefix .. KEY_POOLS, pool.name, value)
    return { 'done' }
end

local reply = with_days(reindex)
write_clock()
return reply
