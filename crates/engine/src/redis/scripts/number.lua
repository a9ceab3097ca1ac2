-- What a script knows of a number and its pool, and every rule that follows from it alone.
-- Goes in front of each script, behind journal.lua.
--
-- These scripts are asked for each call: what is done for each is local, makes few tables, and no number into text but by `%d`.

-- A number's value: format (1), status (0 active, 1 resting, 2 paused, 3 retired), resting until, daily and hourly limit (0
-- none), region ("--" none), group (see orders.lua), pool; its use: last use, last end, rolling hour (bucket of the last use,
-- uses in all its buckets, then 13 counts), local day (start, uses, uses of the day before, last use); holds (id, until).
-- Instants are milliseconds since the epoch. All integers are big endian, and far below 2^53.
local VALUE, HELD = '>BBI6I4I4c2Bc0Bc0I6I6I4I4c39I6I4I4I6', '>c16I6'
-- With one hold, as most numbers that were ever used have.
local VALUE_HELD_ONCE = VALUE .. 'c16I6'
-- The part that is use, as history gives it.
local USED = '>I6I6I4I4c39I6I4I4I6'
local HELD_BYTES = 22
local FORMAT, BUCKET_MS, BUCKETS, USES_MOST = 1, 300000, 13, 16777215
local NO_HOUR, NO_REGION, NO_INVENTORY = string.rep('\0', 39), '--', '0:'
local ACTIVE, RESTING = 0, 1
local RESERVED, COOLDOWN, HOURLY, DAILY, REST, EMPTY = 1, 2, 3, 4, 5, 0

local call, pack, unpack_bytes, format = redis.call, struct.pack, struct.unpack, string.format
local sub, byte, floor = string.sub, string.byte, math.floor

-- Thrown before anything is written: the caller must give the local days of a pool (`days_of`) first.
local DAYS_MISSING, days_of = {}, nil

local NUMBERS, ORDERS, POOLS = prefix .. KEY_NUMBER, prefix .. KEY_ORDER, prefix .. KEY_POOLS
local now_bucket = floor(now / BUCKET_MS)
local pools = {}

-- A pool's value: format (1), whether numbers may stand where an older policy put them, generation, ladder (bits: 1 area
-- code, 2 overlay, 4 region, 8 any), cooldown, reservation time, most reservations, sticky time, name of the time zone,
-- then as many consecutive local midnights as follow.
local POOL = '>BBI4BI6I6I2I6B'
local POOL_BYTES = 28

local function read_pool(name, value)
    local _, stale, generation, ladder, cooldown, reservation, most, sticky, zone_bytes = unpack_bytes(POOL, value)
    return {
        name = name, value = value, stale = stale, generation = generation, ladder = ladder, cooldown = cooldown,
        reservation = reservation, most = most, sticky = sticky,
        zone = sub(value, POOL_BYTES + 1, POOL_BYTES + zone_bytes), days = POOL_BYTES + zone_bytes + 1,
    }
end

-- The pool of that name with the local day of `now`; false when nobody made it.
local function pool_of(name)
    local pool = pools[name]
    if pool ~= nil then return pool end
    local value = call('HGET', POOLS, name)
    if not value then
        pools[name] = false
        return false
    end
    pool = read_pool(name, value)
    local place, last = pool.days, #value - 5
    local day_start = place <= last and unpack_bytes('>I6', value, place)
    while place + 6 <= last do
        local day_end = unpack_bytes('>I6', value, place + 6)
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
    pool.order = ORDERS .. name .. ':'
    pools[name] = pool
    return pool
end

-- The number with these 15 digits; nil when it is not known. It is read anew each time: who changes it writes it.
local function number_of(digits)
    local value = call('GET', NUMBERS .. digits)
    if not value then return nil end
    local _, status, resting, daily, hourly, region, group, pool, last_used, last_end, bucket, hour_uses, hour, day_start,
        day_uses, day_before, day_last, at = unpack_bytes(VALUE, value)
    local holds, bytes = {}, #value
    if at < bytes then
        local id, ends
        id, ends, at = unpack_bytes(HELD, value, at)
        holds[1] = { id = id, ends = ends }
        while at < bytes do
            id, ends, at = unpack_bytes(HELD, value, at)
            holds[#holds + 1] = { id = id, ends = ends }
        end
    end
    -- All fields at once: a table that grows is copied each time.
    return {
        digits = digits, status = status, resting = resting, daily = daily, hourly = hourly, region = region, group = group,
        pool = pool, last_used = last_used, last_end = last_end, bucket = bucket, hour_uses = hour_uses, hour = hour,
        day_start = day_start, day_uses = day_uses, day_before = day_before, day_last = day_last, holds = holds,
    }
end

local function write_number(n)
    local holds = n.holds
    local first, value = holds[1], nil
    if first then
        value = pack(VALUE_HELD_ONCE, FORMAT, n.status, n.resting, n.daily, n.hourly, n.region, #n.group, n.group, #n.pool,
            n.pool, n.last_used, n.last_end, n.bucket, n.hour_uses, n.hour, n.day_start, n.day_uses, n.day_before,
            n.day_last, first.id, first.ends)
        for place = 2, #holds do value = value .. pack(HELD, holds[place].id, holds[place].ends) end
    else
        value = pack(VALUE, FORMAT, n.status, n.resting, n.daily, n.hourly, n.region, #n.group, n.group, #n.pool, n.pool,
            n.last_used, n.last_end, n.bucket, n.hour_uses, n.hour, n.day_start, n.day_uses, n.day_before, n.day_last)
    end
    call('SET', NUMBERS .. n.digits, value)
end

-- How many holds live, and the last end of one that does not.
local function live(n)
    local count, ended = 0, n.last_end
    local holds = n.holds
    for place = 1, #holds do
        local ends = holds[place].ends
        if ends > now then
            count = count + 1
        elseif ends > ended then
            ended = ends
        end
    end
    return count, ended
end

-- Whether the allocation `id` holds the number; its place among the holds.
local function held_by(n, id)
    for place, hold in ipairs(n.holds) do
        if hold.id == id and hold.ends > now then return place end
    end
    return nil
end

-- When the number stops, or stopped, being reserved `most` times.
local function unreserved_at(n, most)
    local count, ended = live(n)
    if count < most then return ended end
    local holds = n.holds
    if #holds == 1 then return holds[1].ends end
    local ends = {}
    for place = 1, #holds do
        if holds[place].ends > now then ends[#ends + 1] = holds[place].ends end
    end
    table.sort(ends)
    return ends[#ends - most + 1]
end

-- How many buckets have begun since the last use; no more than matter.
local function hour_age(n)
    local age = now_bucket - n.bucket
    if age < 0 then return 0 end
    if age > BUCKETS then return BUCKETS end
    return age
end

-- The sum of a number's counts from one to another, both counted from 1, the newest.
local function sum_hour(hour, from, to)
    local sum = 0
    for place = from, to do sum = sum + unpack_bytes('>I3', hour, 3 * place - 2) end
    return sum
end

local function hour_count(n)
    local age = hour_age(n)
    return n.hour_uses - sum_hour(n.hour, BUCKETS - age + 1, BUCKETS)
end

-- The first instant at which fewer than the hourly limit count; 0 when that is now, or there is none.
local function hour_free_at(n)
    local hourly = n.hourly
    if hourly == 0 or n.hour_uses < hourly then return 0 end
    local count = hour_count(n)
    if count < hourly then return 0 end
    for age = BUCKETS - hour_age(n) - 1, 0, -1 do
        count = count - sum_hour(n.hour, age + 1, age + 1)
        if count < hourly then return (n.bucket - age + BUCKETS) * BUCKET_MS end
    end
    return 0
end

-- Counts a use in that bucket of the rolling hour.
local function count_hour(n, bucket)
    local hour, passed = n.hour, bucket - n.bucket
    if passed > 0 then
        if passed > BUCKETS then passed = BUCKETS end
        n.hour_uses = n.hour_uses - sum_hour(hour, BUCKETS - passed + 1, BUCKETS) + 1
        n.hour = pack('>I3', 1) .. sub(NO_HOUR, 1, 3 * (passed - 1)) .. sub(hour, 1, 3 * (BUCKETS - passed))
        n.bucket = bucket
        return
    end
    local at = -3 * passed
    if at >= 3 * BUCKETS then return end
    local uses = unpack_bytes('>I3', hour, at + 1)
    if uses == USES_MOST then return end
    n.hour, n.hour_uses = sub(hour, 1, at) .. pack('>I3', uses + 1) .. sub(hour, at + 4), n.hour_uses + 1
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
    n.day_start, n.day_uses = pool.day_start, counted + 1
    if at > n.day_last then n.day_last = at end
end

-- From when the number is free, and what holds it until then; nothing while it is paused or retired. Of conditions that
-- end together the last one considered is the cause.
local function availability(n, pool)
    local status = n.status
    if status > RESTING then return nil end
    local at, cause = 0, REST
    if status == RESTING then at = n.resting end
    local last_used = n.last_used
    if last_used > 0 then
        local day = 0
        if n.daily > 0 and day_count(n, pool) >= n.daily then day = pool.day_end end
        if day >= at then at, cause = day, DAILY end
        local hour = hour_free_at(n)
        if hour >= at then at, cause = hour, HOURLY end
        local rested = last_used + pool.cooldown
        if rested >= at then at, cause = rested, COOLDOWN end
        local unreserved = unreserved_at(n, pool.most)
        if unreserved >= at then at, cause = unreserved, RESERVED end
    end
    return at, cause
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

-- Until when a key is kept whose value says something until `at`: a minute longer, by the server's own time.
local function expires(at)
    local left = at - now
    if left < 0 then left = 0 end
    if left > 86400000000 then left = 86400000000 end
    return format('%d', wall_now + slower * left + 60000)
end

-- Which allocation a call got, unless a later one is known.
local function remember_call(call_id, event, ends)
    local key = prefix .. KEY_CALL .. call_id
    local known = call('GET', key)
    if known and unpack_bytes('>I6', known, 18) >= unpack_bytes('>I6', event, 18) then return end
    call('SET', key, event, 'PXAT', expires(ends))
end
