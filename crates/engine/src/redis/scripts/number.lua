-- What a script knows of a number and its pool, and every rule that follows from it alone.
-- Goes in front of each script, behind clock.lua.

-- A number's value: format (1), status (0 active, 1 resting, 2 paused, 3 retired), resting until, area code (0 none),
-- region ("--" none), daily and hourly limit (0 none), last use, last end, rolling hour (bucket of the last use, then 13
-- counts), local day (start, uses, uses of the day before, last use), pool, holds (id, until).
-- Instants are milliseconds since the epoch. All integers are big endian, and far below 2^53.
local OWNED, USED, HELD = '>BBI6I2c2I4I4', '>I6I6I4c39I6I4I4I6', '>c16I6'
local OWNED_BYTES, USED_BYTES, HELD_BYTES = 20, 75, 22
local HOUR = '>I3I3I3I3I3I3I3I3I3I3I3I3I3'
local FORMAT, BUCKET_MS, BUCKETS, USES_MOST = 1, 300000, 13, 16777215
local NO_HOUR, NO_REGION, NO_INVENTORY = string.rep('\0', 39), '--', '0:'
local ACTIVE, RESTING = 0, 1
local RESERVED, COOLDOWN, HOURLY, DAILY, REST, EMPTY = 1, 2, 3, 4, 5, 0

-- Thrown before anything is written: the caller must give the local days of a pool (`days_of`) first.
local DAYS_MISSING, days_of = {}, nil

local pools, numbers = {}, {}

-- A pool's value: format (1), whether numbers may stand where an older policy put them, generation, ladder (bits: 1 area
-- code, 2 overlay, 4 region, 8 any), cooldown, reservation time, most reservations, sticky time, name of the time zone,
-- then as many consecutive local midnights as follow.
local POOL = '>BBI4BI6I6I2I6B'
local POOL_BYTES = 28

local function read_pool(name, value)
    local _, stale, generation, ladder, cooldown, reservation, most, sticky, zone_bytes = struct.unpack(POOL, value)
    return {
        name = name, value = value, stale = stale, generation = generation, ladder = ladder, cooldown = cooldown,
        reservation = reservation, most = most, sticky = sticky,
        zone = string.sub(value, POOL_BYTES + 1, POOL_BYTES + zone_bytes), days = POOL_BYTES + zone_bytes + 1,
    }
end

-- The pool of that name with the local day of `now`; false when nobody made it.
local function pool_of(name)
    local pool = pools[name]
    if pool ~= nil then return pool end
    local value = redis.call('HGET', prefix .. KEY_POOLS, name)
    if not value then
        pools[name] = false
        return false
    end
    pool = read_pool(name, value)
    local place, last = pool.days, #value - 5
    local day_start = place <= last and struct.unpack('>I6', value, place)
    while place + 6 <= last do
        local day_end = struct.unpack('>I6', value, place + 6)
        if day_start <= now and now < day_end then
            pool.day_start, pool.day_end = day_start, day_end
            break
        end
        place, day_start = place + 6, day_end
    end
    if not pool.day_start then
        days_of = pool
        error(DAYS_MISSING)
    end
    local orders = prefix .. KEY_ORDER .. name .. ':'
    pool.all, pool.order = orders .. 'all', orders
    pools[name] = pool
    return pool
end

-- The number with these 15 digits; false when it is not known.
local function number_of(digits)
    local n = numbers[digits]
    if n ~= nil then return n end
    local value = redis.call('GET', prefix .. KEY_NUMBER .. digits)
    if not value then
        numbers[digits] = false
        return false
    end
    local _, status, resting, area, region, daily, hourly = struct.unpack(OWNED, value)
    local last_used, last_end, bucket, hour, day_start, day_uses, day_before, day_last =
        struct.unpack(USED, value, OWNED_BYTES + 1)
    local place = OWNED_BYTES + USED_BYTES + 1
    local pool_bytes = string.byte(value, place)
    -- All fields at once, and those too that come later: a table that grows is copied each time.
    n = {
        digits = digits, owned = string.sub(value, 1, OWNED_BYTES), status = status, resting = resting, area = area,
        region = region, daily = daily, hourly = hourly, last_used = last_used, last_end = last_end, bucket = bucket,
        hour = hour, hour_uses = false, day_start = day_start, day_uses = day_uses, day_before = day_before,
        day_last = day_last, pool = string.sub(value, place + 1, place + pool_bytes), holds = {},
    }
    place = place + 1 + pool_bytes
    while place < #value do
        local id, ends = struct.unpack(HELD, value, place)
        n.holds[#n.holds + 1] = { id = id, ends = ends }
        place = place + HELD_BYTES
    end
    numbers[digits] = n
    return n
end

local function write_number(n)
    local owned = n.owned or struct.pack(OWNED, FORMAT, n.status, n.resting, n.area, n.region, n.daily, n.hourly)
    local value = owned .. struct.pack(USED, n.last_used, n.last_end, n.bucket, n.hour, n.day_start, n.day_uses, n.day_before, n.day_last)
        .. string.char(#n.pool) .. n.pool
    for _, hold in ipairs(n.holds) do
        value = value .. struct.pack(HELD, hold.id, hold.ends)
    end
    redis.call('SET', prefix .. KEY_NUMBER .. n.digits, value)
end

local function live(n)
    local count = 0
    for _, hold in ipairs(n.holds) do
        if hold.ends > now then count = count + 1 end
    end
    return count
end

-- Whether the allocation `id` holds the number; its place among the holds.
local function held_by(n, id)
    for place, hold in ipairs(n.holds) do
        if hold.id == id and hold.ends > now then return place end
    end
    return nil
end

-- The last end of a hold so far.
local function last_end(n)
    local latest = n.last_end
    for _, hold in ipairs(n.holds) do
        if hold.ends <= now and hold.ends > latest then latest = hold.ends end
    end
    return latest
end

-- When the number stops, or stopped, being reserved `most` times.
local function unreserved_at(n, most)
    if live(n) < most then return last_end(n) end
    if #n.holds == 1 then return n.holds[1].ends end
    local ends = {}
    for _, hold in ipairs(n.holds) do
        if hold.ends > now then ends[#ends + 1] = hold.ends end
    end
    table.sort(ends)
    return ends[#ends - most + 1]
end

-- How many buckets have begun since the last use; no more than matter.
local function hour_age(n)
    return math.max(0, math.min(BUCKETS, math.floor(now / BUCKET_MS) - n.bucket))
end

-- Kept with the number: nothing is asked more often, and `now` is the same for all of a script.
local function hour_count(n)
    if n.hour_uses then return n.hour_uses end
    local uses, count = { struct.unpack(HOUR, n.hour) }, 0
    for place = 1, BUCKETS - hour_age(n) do count = count + uses[place] end
    n.hour_uses = count
    return count
end

-- The first instant at which fewer than the hourly limit count; 0 when that is now, or there is none.
local function hour_free_at(n)
    if n.hourly == 0 then return 0 end
    local count = hour_count(n)
    if count < n.hourly then return 0 end
    local uses = { struct.unpack(HOUR, n.hour) }
    for age = BUCKETS - hour_age(n) - 1, 0, -1 do
        count = count - uses[age + 1]
        if count < n.hourly then return (n.bucket - age + BUCKETS) * BUCKET_MS end
    end
    return 0
end

local function day_count(n, pool)
    if n.day_last < pool.day_start then return 0 end
    if pool.day_start < n.day_start then return n.day_uses + n.day_before end
    return n.day_uses
end

-- Counts a use at `at`, which is in the pool's local day.
local function count_day(n, pool, at)
    local counted = day_count(n, pool)
    if pool.day_start > n.day_start then n.day_before = n.day_uses end
    n.day_start, n.day_uses, n.day_last = pool.day_start, counted + 1, math.max(n.day_last, at)
end

-- From when the number is free, and what holds it until then; nothing while it is paused or retired. Of conditions that
-- end together the last one considered is the cause.
local function availability(n, pool)
    if n.status > RESTING then return nil end
    local at, cause = 0, REST
    if n.status == RESTING then at = n.resting end
    if n.last_used > 0 then
        local day = 0
        if n.daily > 0 and day_count(n, pool) >= n.daily then day = pool.day_end end
        if day >= at then at, cause = day, DAILY end
        local hour = hour_free_at(n)
        if hour >= at then at, cause = hour, HOURLY end
        local rested = n.last_used + pool.cooldown
        if rested >= at then at, cause = rested, COOLDOWN end
        local unreserved = unreserved_at(n, pool.most)
        if unreserved >= at then at, cause = unreserved, RESERVED end
    end
    return at, cause
end

-- The first of an order, and from when it is free, as text; nothing when there is none.
local function head_of(order)
    local first = redis.call('ZRANGE', order, 0, 0, 'WITHSCORES')
    return first[1], first[2]
end

-- Writes who is first in the area code of a number into the orders of heads.
local function lead(n, orders, is, is_at)
    if not is then return end
    redis.call('ZADD', orders .. 'all', is_at, is)
    if n.region ~= NO_REGION then redis.call('ZADD', orders .. n.region, is_at, is) end
end

-- Puts a number into the order of its area code (0: it has none), or takes it out where `at` is nil. The orders of heads, the
-- pool's and the region's, have only who is first in each area code: they stay short, however many numbers there are.
local function move(n, orders, at)
    local order = orders .. n.area
    local was = head_of(order)
    if at then redis.call('ZADD', order, at, n.digits) else redis.call('ZREM', order, n.digits) end
    local is, is_at = head_of(order)
    if was == is and is ~= n.digits then return end
    if was and was ~= is then
        redis.call('ZREM', orders .. 'all', was)
        if n.region ~= NO_REGION then redis.call('ZREM', orders .. n.region, was) end
    end
    lead(n, orders, is, is_at)
end

-- Puts a number into its place in its pool's orders.
local function place(n, pool)
    local at = availability(n, pool)
    move(n, pool.order, at and string.format('%.0f', at))
end

-- Takes a number out of the orders of the pool and places it says it is in.
local function displace(n)
    move(n, prefix .. KEY_ORDER .. n.pool .. ':', nil)
end

-- Runs `step`. When it needs the local days of a pool, the reply is {'days', pool, zone, now} and nothing was written.
local function days_missing()
    return { 'days', days_of.name, days_of.zone, now }
end

local function with_days(step, ...)
    local done, reply = pcall(step, ...)
    if done then return reply end
    if reply == DAYS_MISSING then return days_missing() end
    error(reply)
end

-- For how long a key is kept whose value says something until then, and a minute longer.
local function expires(at)
    return string.format('%.0f', slower * math.max(0, math.min(at - now, 86400000000)) + 60000)
end

-- Which allocation a call got, unless a later one is known.
local function remember_call(call, event, ends)
    local key = prefix .. KEY_CALL .. call
    local known = redis.call('GET', key)
    if known and struct.unpack('>I6', known, 18) >= struct.unpack('>I6', event, 18) then return end
    redis.call('SET', key, event, 'PX', expires(ends))
end
