-- Several requests and releases, one after the other, each an atomic step of the rule book.
--
-- KEYS  1 clock, 2 pools, 3 journal. All others are made from the prefix; the hash tag in it keeps them in one slot.
-- ARGV  1 prefix, 2 now and server (see clock.lua), 3 most events that may wait in the journal, 4 how many steps; then of
--   each step:
--   'allocate', destination (15 digits), call id, agent (each may be empty), microseconds between two allocations of the
--     agent (0 no limit), area code of the destination (may be empty), its overlay (area codes, three digits each, no
--     separator), its region (may be empty), the rest of the event (opaque), how many pools, their names;
--   'release', number (15 digits) and allocation id, or empty and call id; how the call ended (one byte).
-- Reply the id of the state, then one array for each step: {'got', event, area code, daily limit, hourly limit, left to the
--   agent (-1: no limit), repeated}, {'none', earliest (-1: never), cause, now}, {'over', milliseconds to wait}, {'ended',
--   id, at}, {'nothing'},
--   {'days', pool, zone, now}: give the pool's days and ask again, {'lost'}: the state must be rebuilt first, {'full',
--   events}: as many events wait as may, or {'failed', why}.
--
-- An event is what the journal keeps (see event.rs): kind, id, instant; of an allocation also reservation's end, number,
-- rung, pool, and the rest that the asker gave; of an end how.

local ALLOCATED, ENDED, MINUTE_US, MISPLACED_MOST = 1, 2, 60000000, 256
local STICKY, AREA_CODE, OVERLAY, REGION, ANY = 0, 1, 2, 3, 4

local function remaining(arrival, interval)
    local used = math.max(0, arrival - now * 1000)
    return math.floor(math.max(0, MINUTE_US - used) / interval)
end

-- What is known of the call, the agent and the destination: one command for all of it.
local function look_up(ask)
    local keys, places = {}, {}
    if ask.call ~= '' then
        keys[1], places.call = prefix .. KEY_CALL .. ask.call, 1
    end
    if ask.limited then
        keys[#keys + 1] = prefix .. KEY_AGENT .. ask.agent
        places.agent = #keys
    end
    for place, name in ipairs(ask.pools) do
        local pool = pool_of(name)
        if pool and pool.sticky > 0 then
            keys[#keys + 1] = prefix .. KEY_SHOWN .. ask.destination .. ':' .. name
            places[place] = #keys
        end
    end
    local values = {}
    if keys[1] then values = redis.call('MGET', unpack(keys)) end
    ask.known_call = places.call and values[places.call]
    ask.arrival = places.agent and tonumber(values[places.agent] or 0)
    ask.shown = {}
    for place = 1, #ask.pools do
        ask.shown[place] = places[place] and values[places[place]]
    end
end

-- Of an event of an allocation: its id and its number.
local function held_in(event)
    local _, id = struct.unpack('>Bc16', event)
    return id, string.format('%015.0f', struct.unpack('>I7', event, 30))
end

-- Rule 1: a call that asks again while its reservation lives gets the same answer, counted once.
local function repeated(ask)
    local event = ask.known_call
    if not event then return nil end
    local id, digits = held_in(event)
    local n = number_of(digits)
    if not n or not held_by(n, id) then return nil end
    local left = -1
    if ask.limited then left = remaining(ask.arrival, ask.interval) end
    return { 'got', event, n.area, n.daily, n.hourly, left, 1 }
end

-- The number, from when it is free, and what holds it until then.
local function standing(digits)
    local n = number_of(digits)
    local pool = n and pool_of(n.pool)
    if not pool then return nil end
    return n, availability(n, pool)
end

-- Rule 3: the number this destination was last shown by one of these pools, if it is eligible now.
local function shown_before(ask)
    local latest, latest_at = nil, -1
    for place, name in ipairs(ask.pools) do
        local shown = ask.shown[place]
        if shown then
            local at, digits = struct.unpack('>I6c15', shown)
            if at + pool_of(name).sticky > now and at > latest_at then latest, latest_at = digits, at end
        end
    end
    if not latest then return nil end
    local n, at = standing(latest)
    if not at or at > now then return nil end
    for _, name in ipairs(ask.pools) do
        if n.pool == name then return n end
    end
    return nil
end

-- The first of an order but `except`: its digits and its instant.
local function first_but(order, except)
    local first = redis.call('ZRANGE', order, 0, 0, 'WITHSCORES')
    if first[1] == except then first = redis.call('ZRANGE', order, 1, 1, 'WITHSCORES') end
    if not first[1] then return nil end
    return first[1], tonumber(first[2])
end

local function before(at, digits, other_at, other)
    return not other or at < other_at or (at == other_at and digits < other)
end

-- The first of an order of heads but `except`: behind that one stands another in its area code's order.
local function first_head(pool, heads, except)
    local first = redis.call('ZRANGE', heads, 0, 0, 'WITHSCORES')
    if first[1] ~= except then return first[1], tonumber(first[2]) end
    if not first[1] then return nil end
    local next_head = redis.call('ZRANGE', heads, 1, 1, 'WITHSCORES')
    local n = number_of(except)
    local behind = n and redis.call('ZRANGE', pool.order .. n.area, 1, 1, 'WITHSCORES') or {}
    local digits, at = next_head[1], tonumber(next_head[2])
    if behind[1] and before(tonumber(behind[2]), behind[1], at, digits) then
        digits, at = behind[1], tonumber(behind[2])
    end
    return digits, at
end

-- The first of those whose turn it may be on one rung.
local function first_of(pool, rung, ask)
    if rung == ANY then return first_head(pool, pool.all, ask.destination) end
    if rung == REGION then return first_head(pool, pool.order .. ask.region, ask.destination) end
    if rung == AREA_CODE then return first_but(pool.order .. ask.area, ask.destination) end
    local first, first_at = nil, nil
    for code in string.gmatch(ask.overlay, '%d%d%d') do
        local digits, at = first_but(pool.order .. code, ask.destination)
        if digits and before(at, digits, first_at, first) then first, first_at = digits, at end
    end
    return first, first_at
end

-- Whether a ladder has a rung, and the destination a place on it.
local function has_rung(ladder, rung, ask)
    if math.floor(ladder / 2 ^ (rung - 1)) % 2 == 0 then return false end
    if rung == AREA_CODE then return ask.area ~= '' end
    if rung == REGION then return ask.region ~= '' end
    return true
end

-- Rules 4 and 5 in one pool: the number whose turn it is and its rung; else the first that will be free, and when.
local function climb_pool(pool, ask)
    local earliest, earliest_at = nil, nil
    for rung = AREA_CODE, ANY do
        if has_rung(pool.ladder, rung, ask) then
            local digits, at = first_of(pool, rung, ask)
            if digits and at <= now then return digits, rung end
            if digits and before(at, digits, earliest_at, earliest) then earliest, earliest_at = digits, at end
        end
    end
    return nil, nil, earliest, earliest_at
end

-- It stood there by a policy that has changed since, or is there no more. In its right place it is not found again.
local function put_right(digits, pool, ask)
    local n = number_of(digits)
    redis.call('ZREM', pool.all, digits)
    if ask.region ~= '' then redis.call('ZREM', pool.order .. ask.region, digits) end
    if n and n.pool == pool.name then
        place(n, pool)
        return lead(n, pool.order, head_of(pool.order .. n.area))
    end
    -- Its own digits tell the area code as a rule; whoever stood behind it there is first now.
    local region = ask.region ~= '' and ask.region or NO_REGION
    for code in string.gmatch(ask.area .. ask.overlay .. string.sub(digits, 6, 8), '%d%d%d') do
        move({ digits = digits, area = code, region = region }, pool.order, nil)
    end
end

-- Rules 4, 5 and 7: the number and its rung; else until when there is none, and why.
local function climb(ask)
    local earliest, earliest_at, misplaced = nil, nil, 0
    for _, name in ipairs(ask.pools) do
        local pool = pool_of(name)
        while pool do
            local digits, rung, first, first_at = climb_pool(pool, ask)
            if not digits then
                if first and before(first_at, first, earliest_at, earliest) then
                    earliest, earliest_at = first, first_at
                end
                break
            end
            local n, at, cause = standing(digits)
            if at and at <= now and n.pool == name then return n, rung end
            put_right(digits, pool, ask)
            misplaced = misplaced + 1
            if misplaced == MISPLACED_MOST then return nil, nil, at, cause end
        end
    end
    if not earliest then return nil end
    local _, at, cause = standing(earliest)
    return nil, nil, at, cause
end

-- Counts a use in the rolling hour.
local function count_hour(n)
    local passed = hour_age(n)
    if passed == 0 then
        local uses = struct.unpack('>I3', n.hour)
        n.hour = struct.pack('>I3', math.min(uses + 1, USES_MOST)) .. string.sub(n.hour, 4)
    else
        local zeros = string.sub(NO_HOUR, 1, 3 * (passed - 1))
        n.hour = struct.pack('>I3', 1) .. zeros .. string.sub(n.hour, 1, 3 * (BUCKETS - passed))
        n.bucket = math.floor(now / BUCKET_MS)
    end
end

-- Holds the number and counts its use.
local function record(n, pool, id, ends)
    n.last_end = last_end(n)
    local holds = {}
    for _, hold in ipairs(n.holds) do
        if hold.ends > now then holds[#holds + 1] = hold end
    end
    holds[#holds + 1] = { id = id, ends = ends }
    n.holds, n.last_used = holds, now
    if n.hour_uses then n.hour_uses = n.hour_uses + 1 end
    count_hour(n)
    count_day(n, pool, now)
end

-- A UUID of version 7 with the number in it, as the memory engine makes it.
local function new_id(digits)
    salt = (salt + 1) % 16777216
    local number, low = tonumber(digits), salt % 4096
    local top = math.floor(number / 281474976710656)
    return struct.pack('>I6I2I2I6', now, 28672 + math.floor(salt / 4096), 32768 + low * 4 + top, number % 281474976710656)
end

-- Rule 6: reserve and count.
local function take(ask, n, rung, arrival)
    local pool = pool_of(n.pool)
    local id, ends = new_id(n.digits), now + pool.reservation
    local event = struct.pack('>Bc16I6I6I7BB', ALLOCATED, id, now, ends, tonumber(n.digits), rung, #pool.name)
        .. pool.name .. ask.rest
    record(n, pool, id, ends)
    write_number(n)
    place(n, pool)
    redis.call('XADD', prefix .. KEY_JOURNAL, '*', 'e', event)
    if ask.call ~= '' then redis.call('SET', prefix .. KEY_CALL .. ask.call, event, 'PX', expires(ends)) end
    if pool.sticky > 0 then
        local shown = struct.pack('>I6c15', now, n.digits)
        redis.call('SET', prefix .. KEY_SHOWN .. ask.destination .. ':' .. pool.name, shown, 'PX', expires(now + pool.sticky))
    end
    local left = -1
    if arrival then
        left = remaining(arrival, ask.interval)
        -- It says something for a minute at most.
        local text = string.format('%.0f', arrival)
        redis.call('SET', prefix .. KEY_AGENT .. ask.agent, text, 'PX', expires(now + MINUTE_US / 1000))
    end
    return { 'got', event, n.area, n.daily, n.hourly, left, 0 }
end

local waiting, waiting_most = nil, tonumber(ARGV[3])

local function allocate(ask)
    look_up(ask)
    local again = repeated(ask)
    if again then return again end
    waiting = waiting or redis.call('XLEN', prefix .. KEY_JOURNAL)
    if waiting >= waiting_most then return { 'full', waiting } end
    local arrival = nil
    if ask.limited then
        arrival = math.max(ask.arrival, now * 1000)
        local early = (arrival - now * 1000) - (MINUTE_US - ask.interval)
        if early > 0 then return { 'over', math.floor((early + 999) / 1000) } end
        arrival = arrival + ask.interval
    end
    local n, rung = shown_before(ask), STICKY
    local at, cause
    if not n then n, rung, at, cause = climb(ask) end
    if n then return take(ask, n, rung, arrival) end
    return { 'none', at or -1, at and cause or EMPTY, now }
end

local function release(digits, id, how)
    if digits == '' then
        local event = redis.call('GET', prefix .. KEY_CALL .. id)
        if not event then return { 'nothing' } end
        id, digits = held_in(event)
    end
    local n = number_of(digits)
    local pool = n and pool_of(n.pool)
    local held = n and held_by(n, id)
    if not held then return { 'nothing' } end
    n.last_end = math.max(n.last_end, now)
    table.remove(n.holds, held)
    write_number(n)
    if pool then place(n, pool) end
    redis.call('XADD', prefix .. KEY_JOURNAL, '*', 'e', struct.pack('>Bc16I6', ENDED, id, now) .. how)
    return { 'ended', id, now }
end

local function read_ask(from)
    local ask = {
        destination = ARGV[from], call = ARGV[from + 1], agent = ARGV[from + 2], interval = tonumber(ARGV[from + 3]),
        area = ARGV[from + 4], overlay = ARGV[from + 5], region = ARGV[from + 6], rest = ARGV[from + 7], pools = {},
    }
    ask.limited = ask.agent ~= '' and ask.interval > 0
    local last = from + 8 + tonumber(ARGV[from + 8])
    for place = from + 9, last do ask.pools[#ask.pools + 1] = ARGV[place] end
    return ask, last + 1
end

-- Takes a step. One that fails, fails alone: what it changed here and did not write is forgotten.
local function attempt(step, ...)
    local done, reply = pcall(step, ...)
    if done then return reply end
    if reply == DAYS_MISSING then return days_missing() end
    numbers = {}
    return { 'failed', type(reply) == 'table' and reply.err or tostring(reply) }
end

local replies, argument = { state_id }, 5
for place = 1, tonumber(ARGV[4]) do
    if lost then
        replies[place + 1] = { 'lost' }
    elseif ARGV[argument] == 'allocate' then
        local ask, after = read_ask(argument + 1)
        replies[place + 1] = attempt(allocate, ask)
        argument = after
    else
        replies[place + 1] = attempt(release, ARGV[argument + 1], ARGV[argument + 2], ARGV[argument + 3])
        argument = argument + 4
    end
end
if not lost then write_clock() end
return replies
