-- How many numbers of some groups are free, and what holds the others: goes on with a count for a moment. Nothing is changed.
--
-- Free are those whose instant in the order has come: they are counted without a look at each. Where a policy has changed and
-- numbers may stand in the wrong place, each is looked at. So is each that is not free, in the order in which they stand.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 pool, 4 where to go on in the first group (empty: at its beginning), 5 and on: groups.
-- Reply {'counted', free, reserved, cooldown, hourly limit, daily limit, resting, how many groups are done, where to go on in the
--   next (may be empty)}; {'lost'}; or {'days', pool, zone, now}.

-- So many numbers are looked at; a group without any is as much work as so many.
local LOOKED_AT_MOST, GROUP = 200, 4
local AGES_AGO = -1

local counted = { 0, 0, 0, 0, 0, 0 }

-- Of who stand in an order at `at`, and behind that, the place of the first whose digits are greater.
local function place_behind(key, at, digits)
    local score = format('%d', at)
    local from, to = call('ZCOUNT', key, '-inf', '(' .. score), call('ZCOUNT', key, '-inf', score)
    while from < to do
        local middle = floor((from + to) / 2)
        if call('ZRANGE', key, middle, middle)[1] <= digits then from = middle + 1 else to = middle end
    end
    return from
end

-- Counts a number of the pool, unless it was counted as a free one when the count of its group began, and allocated since.
local function count(digits, group, pool, began)
    local n = number_of(digits)
    if not n or n.pool ~= pool.name or n.group ~= group or n.last_used > began then return end
    local at, cause = availability(n, pool)
    if not at then return end
    local which = at > now and cause + 1 or 1
    counted[which] = counted[which] + 1
end

-- Begins with a group: when, and behind which instant numbers are looked at.
local function begin(key, pool)
    if pool.stale == 1 then return now, AGES_AGO end
    counted[1] = counted[1] + call('ZCOUNT', key, '-inf', format('%d', now))
    return now, now
end

-- Counts in one group; gives how many were looked at, and where to go on, unless it is done. That is: when its count began, the
-- instant and the digits of the last that was looked at.
local function count_group(group, pool, cursor, most)
    local key = pool.order .. group
    local began, at, digits = string.match(cursor, '^(%d+) (%d+) (%d+)$')
    local from
    if began then
        began, from = tonumber(began), place_behind(key, tonumber(at), digits)
    else
        began, at = begin(key, pool)
        from = at == AGES_AGO and 0 or call('ZCOUNT', key, '-inf', format('%d', at))
    end
    local entries = call('ZRANGE', key, from, from + most - 1, 'WITHSCORES')
    local looked_at = #entries / 2
    for place = 1, #entries, 2 do count(entries[place], group, pool, began) end
    if looked_at < most then return looked_at, nil end
    return looked_at, format('%d %d %s', began, tonumber(entries[#entries]), entries[#entries - 1])
end

local function count_groups()
    local pool, left, done, cursor = pool_of(ARGV[3]), LOOKED_AT_MOST, 0, ARGV[4]
    while pool and left > 0 and ARGV[5 + done] do
        local looked_at, goes_on = count_group(ARGV[5 + done], pool, cursor, left)
        cursor, left = goes_on or '', left - looked_at - GROUP
        if goes_on then break end
        done = done + 1
    end
    if not pool then done = #ARGV - 4 end
    local reply = { 'counted', unpack(counted) }
    reply[8], reply[9] = done, cursor
    return reply
end

if lost then return { 'lost' } end
return with_days(count_groups)
