-- Puts the next numbers of a pool whose policy has changed into their right places: one group's after the other's.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 pool, 4 where to go on (begin with nothing).
-- Reply {'more', where to go on}; {'done'} after the last, or when another policy has come since; or {'days', …}.
local ABOUT, UNSETTLED = 100, prefix .. KEY_UNSETTLED

-- The group behind this one, by name.
local function next_group(pool, after)
    local least = nil
    local function look(group)
        if group > after and (not least or group < least) then least = group end
    end
    for _, group in ipairs(call('ZRANGE', pool.order .. 'all', '0', '-1')) do look(group) end
    for group in pairs(odd_groups(pool)) do look(group) end
    return least
end

local function reindex()
    local pool = pool_of(ARGV[3])
    if not pool or pool.stale == 0 then
        call('ZREM', UNSETTLED, ARGV[3])
        return { 'done' }
    end
    -- Somebody is at it.
    call('ZADD', UNSETTLED, format('%d', now), pool.name)
    -- The generation of the policy it began with, a group, and a place in its order.
    local generation, group, cursor = string.match(ARGV[4], '^(%d+):(!?%d+):(%d+)$')
    if generation and pool.generation ~= tonumber(generation) then return { 'done' } end
    local function more(at, from) return { 'more', format('%d:%s:%s', pool.generation, at, from) } end
    if not generation then group, cursor = next_group(pool, ''), '0' end
    if group then
        local scanned = call('ZSCAN', pool.order .. group, cursor, 'COUNT', ABOUT)
        for at = 1, #scanned[2], 2 do
            local n = number_of(scanned[2][at])
            if n and n.pool == pool.name then place(n, pool) end
        end
        if scanned[1] ~= '0' then return more(group, scanned[1]) end
        local following = next_group(pool, group)
        if following then return more(following, '0') end
    end
    call('HSET', POOLS, pool.name, pack('>BB', FORMAT, 0) .. sub(pool.value, 3))
    call('ZREM', UNSETTLED, pool.name)
    return { 'done' }
end

local reply = with_days(reindex)
write_clock()
return reply
