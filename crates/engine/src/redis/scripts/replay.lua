-- Counts allocations and ends that this state may have forgotten: each once, in any order.
--
-- KEYS  1 clock, 2 pools, 3 journal.
-- ARGV  1 prefix, 2 now and server, 3 whether they join the journal (0 or 1), 4 microseconds between two allocations of an
--   agent (0: no limit), 5 for how long it is remembered that they were counted, in milliseconds; then of each an event (see
--   event.rs) and, for an allocation, when it ended (0: it did not, as far as is known).
-- Reply {'done'}, or {'days', pool, zone, now}: give the pool's days and do it all again.
local ALLOCATED, KEPT_LONGER_MS = 1, 60000
local interval = tonumber(ARGV[4])

local function expires(at)
    return string.format('%.0f', math.max(0, math.min(at - now, 86400000000)) + KEPT_LONGER_MS)
end

local function text(event, place)
    local bytes = string.byte(event, place)
    return string.sub(event, place + 1, place + bytes), place + 1 + bytes
end

local function read(event)
    local e = { bytes = event }
    local place
    e.kind, e.id, e.at, place = struct.unpack('>Bc16I6', event)
    if e.kind ~= ALLOCATED then
        -- An id carries its number, see new_id in decide.lua.
        local high, low = struct.unpack('>I2I6', event, 10)
        e.digits = string.format('%015.0f', high % 4 * 281474976710656 + low)
        return e
    end
    local number
    e.ends, number, place = struct.unpack('>I6I7', event, place)
    e.digits = string.format('%015.0f', number)
    e.pool, place = text(event, place + 1)
    local destination
    destination, place = struct.unpack('>I7', event, place)
    e.destination = string.format('%015.0f', destination)
    local _
    _, place = text(event, place)
    e.agent, place = text(event, place)
    e.call = text(event, place)
    return e
end

local function count_hour(n, at)
    local bucket = math.floor(at / BUCKET_MS)
    local uses = { struct.unpack(HOUR, n.hour) }
    for age = 1, bucket - n.bucket do
        if age > BUCKETS then break end
        table.insert(uses, 1, 0)
        table.remove(uses, BUCKETS + 1)
    end
    n.bucket = math.max(n.bucket, bucket)
    local place = n.bucket - bucket + 1
    if place > BUCKETS then return end
    uses[place] = math.min(uses[place] + 1, USES_MOST)
    local hour = {}
    for at_place = 1, BUCKETS do hour[at_place] = struct.pack('>I3', uses[at_place]) end
    n.hour = table.concat(hour)
end

local function hold(n, e, ended)
    if ended > 0 or e.ends <= now then
        n.last_end = math.max(n.last_end, ended > 0 and ended or e.ends)
    else
        n.holds[#n.holds + 1] = { id = e.id, ends = e.ends }
        if e.call ~= '' then
            redis.call('SET', prefix .. KEY_CALL .. e.call, e.bytes, 'PX', expires(e.ends), 'NX')
        end
    end
end

local function show(e)
    local pool = pool_of(e.pool)
    if not pool or pool.sticky == 0 or e.at + pool.sticky <= now then return end
    local key = prefix .. KEY_SHOWN .. e.destination .. ':' .. e.pool
    local known = redis.call('GET', key)
    if not known or struct.unpack('>I6', known) < e.at then
        redis.call('SET', key, struct.pack('>I6c15', e.at, e.digits), 'PX', expires(e.at + pool.sticky))
    end
end

local function limit(e)
    if interval == 0 or e.agent == '' then return end
    local key = prefix .. KEY_AGENT .. e.agent
    local arrival = math.max(tonumber(redis.call('GET', key) or 0), e.at * 1000) + interval
    if arrival > now * 1000 then
        redis.call('SET', key, string.format('%.0f', arrival), 'PX', expires(math.ceil(arrival / 1000)))
    end
end

local function count(e, ended)
    local n = number_of(e.digits)
    local pool = n and pool_of(n.pool)
    if not pool or held_by(n, e.id) then return end
    count_hour(n, e.at)
    if e.at >= pool.day_start then count_day(n, pool, e.at) end
    hold(n, e, ended)
    n.last_used = math.max(n.last_used, e.at)
    show(e)
    limit(e)
    write_number(n)
    place(n, pool)
end

local function finish(e)
    local n = number_of(e.digits)
    local pool = n and pool_of(n.pool)
    local held = n and held_by(n, e.id)
    if not pool or not held then return end
    n.last_end = math.max(n.last_end, e.at)
    table.remove(n.holds, held)
    write_number(n)
    place(n, pool)
end

local function replay()
    local events = {}
    -- Nothing is written before all days are known.
    for place = 6, #ARGV, 2 do
        local e = read(ARGV[place])
        e.ended = tonumber(ARGV[place + 1])
        local n = number_of(e.digits)
        if n then pool_of(n.pool) end
        if e.pool then pool_of(e.pool) end
        events[#events + 1] = e
    end
    local key = prefix .. KEY_REPLAYED
    for _, e in ipairs(events) do
        if redis.call('SADD', key, string.char(e.kind) .. e.id) == 1 then
            if e.kind == ALLOCATED then count(e, e.ended) else finish(e) end
        end
        if ARGV[3] == '1' then redis.call('XADD', prefix .. KEY_JOURNAL, '*', 'e', e.bytes) end
    end
    redis.call('PEXPIRE', key, ARGV[5])
    return { 'done' }
end

local reply = with_days(replay)
write_clock()
return reply
