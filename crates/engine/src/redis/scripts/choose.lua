-- Choosing: rules 1 to 5 and 7 of a request. Nothing here reserves or counts. Goes in front of the scripts that decide requests
-- and that foresee what would be decided, behind orders.lua.
--
-- ARGV  3 most events that may wait in the journal.

-- Of a request: kind, destination (15 digits), microseconds between two allocations of the agent (0 no limit), area code of
-- the destination, its region (each may be blank), its overlay (area codes, three digits each, no separator), call
-- id, agent (each may be empty), how many pools; then the pools, and the rest of the event (opaque).
local ASK, BLANK_AREA, BLANK_REGION = '>Bc15I4c3c2Bc0Bc0Bc0I2', '---', '--'
-- A number that was given out: whether the call had it already, its group (see orders.lua), daily and hourly limit, left to the
-- agent (NO_LIMIT: any number); then the event.
local GOT, NO_LIMIT = '>BBc0I4I4I4c0', 4294967295

local MINUTE_US, MISPLACED_MOST = 60000000, 256
local STICKY, AREA_CODE, OVERLAY, REGION, ANY = 0, 1, 2, 3, 4
local CALLS, AGENTS, SHOWN = prefix .. KEY_CALL, prefix .. KEY_AGENT, prefix .. KEY_SHOWN
local waiting_most = tonumber(ARGV[3])

local function remaining(arrival, interval)
    local used = arrival - now * 1000
    if used <= 0 then return floor(MINUTE_US / interval) end
    if used >= MINUTE_US then return 0 end
    return floor((MINUTE_US - used) / interval)
end

local function read_ask(step)
    local _, destination, interval, area, region, overlay, call_id, agent, count, at = unpack_bytes(ASK, step)
    local asked = {}
    for place = 1, count do asked[place], at = unpack_bytes('Bc0', step, at) end
    return {
        destination = destination, interval = interval, area = area, region = region, overlay = overlay, call = call_id,
        agent = agent, limited = agent ~= '' and interval > 0, pools = asked, rest = sub(step, at),
        known_call = false, arrival = false, shown = false,
    }
end

-- What is known of the call, the agent and the destination: one command for all of it.
local function look_up(ask)
    local keys, shown_by = {}, {}
    if ask.call ~= '' then keys[1] = CALLS .. ask.call end
    if ask.limited then keys[#keys + 1] = AGENTS .. ask.agent end
    for _, name in ipairs(ask.pools) do
        local pool = pool_of(name)
        if pool and pool.sticky > 0 then
            shown_by[#shown_by + 1] = pool
            keys[#keys + 1] = SHOWN .. ask.destination .. ':' .. name
        end
    end
    if not keys[1] then return end
    local values, at = call('MGET', unpack(keys)), 0
    if ask.call ~= '' then
        ask.known_call, at = values[1], 1
    end
    if ask.limited then
        at = at + 1
        ask.arrival = tonumber(values[at] or 0)
    end
    for place, pool in ipairs(shown_by) do
        local value = values[at + place]
        if value then
            ask.shown = ask.shown or {}
            ask.shown[#ask.shown + 1] = { pool = pool, value = value }
        end
    end
end

local function got(event, n, left, again)
    return pack(GOT, again, #n.group, n.group, n.daily, n.hourly, left, event)
end

-- Of an event of an allocation: its id and its number.
local function held_in(event)
    local _, id = unpack_bytes('>Bc16', event)
    return id, format('%015d', unpack_bytes('>I7', event, 30))
end

-- Rule 1: a call that asks again while its reservation lives gets the same answer, counted once.
local function repeated(ask)
    local event = ask.known_call
    if not event then return nil end
    local id, digits = held_in(event)
    local n = number_of(digits)
    if not n or not held_by(n, id) then return nil end
    local left = NO_LIMIT
    if ask.limited then left = remaining(ask.arrival, ask.interval) end
    return got(event, n, left, 1)
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
    for _, shown in ipairs(ask.shown or {}) do
        local at, digits = unpack_bytes('>I6c15', shown.value)
        if at + shown.pool.sticky > now and at > latest_at then latest, latest_at = digits, at end
    end
    if not latest then return nil end
    local n, at = standing(latest)
    if not at or at > now then return nil end
    for _, name in ipairs(ask.pools) do
        if n.pool == name then return n end
    end
    return nil
end

-- The first of those whose turn it may be on one rung: its digits, its instant, and the group it stands in.
local function first_on(pool, rung, ask)
    if rung == ANY then return first_of_heads(pool, 'all', ask.destination) end
    if rung == REGION then return first_of_heads(pool, ask.region, ask.destination) end
    if rung == AREA_CODE then return first_of_area(pool, ask.area, ask.destination) end
    local first, first_at, first_group = nil, nil, nil
    for code in string.gmatch(ask.overlay, '%d%d%d') do
        local digits, at, group = first_of_area(pool, code, ask.destination)
        if digits and before(at, digits, first_at, first) then first, first_at, first_group = digits, at, group end
    end
    return first, first_at, first_group
end

-- Whether a ladder has a rung, and the destination a place on it.
local function has_rung(ladder, rung, ask)
    if floor(ladder / 2 ^ (rung - 1)) % 2 == 0 then return false end
    if rung == AREA_CODE then return ask.area ~= BLANK_AREA end
    if rung == REGION then return ask.region ~= BLANK_REGION end
    return true
end

-- Rules 4 and 5 in one pool: the number whose turn it is, its rung and its group; else the first that will be free, and when.
local function climb_pool(pool, ask)
    local earliest, earliest_at = nil, nil
    for rung = AREA_CODE, ANY do
        if has_rung(pool.ladder, rung, ask) then
            local digits, at, group = first_on(pool, rung, ask)
            if digits and at <= now then return digits, rung, group end
            if digits and before(at, digits, earliest_at, earliest) then earliest, earliest_at = digits, at end
        end
    end
    return nil, nil, nil, earliest, earliest_at
end

-- It stood there by a policy that has changed since, or is there no more. In its right place it is not found again.
local function put_right(digits, pool, group)
    local n = number_of(digits)
    local here = n and n.pool == pool.name
    if looks then return bear_in_mind(digits, here and n, pool) end
    if not here or n.group ~= group then call('ZREM', pool.order .. group, digits) end
    if here then place(n, pool) end
end

-- Rules 4, 5 and 7: the number and its rung; else until when there is none, and why.
local function climb(ask)
    local earliest, earliest_at, misplaced = nil, nil, 0
    for _, name in ipairs(ask.pools) do
        local pool = pool_of(name)
        while pool do
            local digits, rung, group, first, first_at = climb_pool(pool, ask)
            if not digits then
                if first and before(first_at, first, earliest_at, earliest) then
                    earliest, earliest_at = first, first_at
                end
                break
            end
            local n, at, cause = standing(digits)
            if at and at <= now and n.pool == name and (rung ~= REGION or n.region == ask.region) then return n, rung end
            if n and rung == REGION and n.region ~= ask.region then drop_head(pool.order .. ask.region, group) end
            put_right(digits, pool, group)
            misplaced = misplaced + 1
            if misplaced == MISPLACED_MOST then return nil, nil, at, cause end
        end
    end
    if not earliest then return nil end
    local _, at, cause = standing(earliest)
    return nil, nil, at, cause
end

-- All of these rules, in their order: the number whose turn it is, its rung, and what the agent's limit is when it is taken; else
-- nothing, and the reply.
local function choose(ask)
    look_up(ask)
    local again = repeated(ask)
    if again then return nil, again end
    if is_full(waiting_most) then return nil, { 'full', count_waiting() } end
    local arrival = nil
    if ask.limited then
        arrival = ask.arrival > now * 1000 and ask.arrival or now * 1000
        local early = (arrival - now * 1000) - (MINUTE_US - ask.interval)
        if early > 0 then return nil, { 'over', floor((early + 999) / 1000) } end
        arrival = arrival + ask.interval
    end
    local n, rung = shown_before(ask), STICKY
    local at, cause
    if not n then n, rung, at, cause = climb(ask) end
    if n then return n, rung, arrival end
    return nil, { 'none', at or -1, at and cause or EMPTY, now }
end
