-- Puts the next numbers of a pool whose policy has changed into their right places: one area code's after the other's.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 pool, 4 where to go on (begin with nothing).
-- Reply {'more', where to go on}; {'done'} after the last, or when another policy has come since; or {'days', …}.
local ABOUT = 100

-- The least area code of the pool's numbers that is greater than this; they stand in the order of heads.
local function next_area(pool, after)
    local least = nil
    for _, digits in ipairs(redis.call('ZRANGE', pool.all, 0, -1)) do
        local n = number_of(digits)
        if n and n.area > after and (not least or n.area < least) then least = n.area end
    end
    return least
end

local function reindex()
    local pool = pool_of(ARGV[3])
    if not pool or pool.stale == 0 then return { 'done' } end
    -- The generation of the policy it began with, an area code, and a place in its order.
    local generation, area, cursor = string.match(ARGV[4], '^(%d+):(%d+):(%d+)$')
    if generation and pool.generation ~= tonumber(generation) then return { 'done' } end
    local function more(at, from) return { 'more', string.format('%.0f:%d:%s', pool.generation, at, from) } end
    if not generation then area, cursor = next_area(pool, -1), '0' end
    if area then
        local scanned = redis.call('ZSCAN', pool.order .. area, cursor, 'COUNT', ABOUT)
        for at = 1, #scanned[2], 2 do
            local n = number_of(scanned[2][at])
            if n and n.pool == pool.name then place(n, pool) end
        end
        if scanned[1] ~= '0' then return more(area, scanned[1]) end
        local following = next_area(pool, tonumber(area))
        if following then return more(following, '0') end
    end
    local value = struct.pack('>BB', FORMAT, 0) .. string.sub(pool.value, 3)
    redis.call('HSET', prefix .. KEY_POOLS, pool.name, value)
    return { 'done' }
end

local reply = with_days(reindex)
write_clock()
return reply
