-- Counts allocations and ends that this state may have forgotten: each once, in any order. What was said of calls is not counted;
-- brought by a node, it joins the journal as they do.
--
-- KEYS  1 clock, 2 pools, 3 journal.
-- ARGV  1 prefix, 2 now and server, 3 id of the rebuild, or of the state, that they are brought to, 4 whether they come from a
--   node that acknowledged them, and join the journal (0 or 1), 5 for how long it is remembered that they were counted, in
--   milliseconds; then of each an event (see event.rs) and, for an allocation, when it ended (0: it did not, as far as is known)
--   and the microseconds between two allocations of an agent on its campaign's calls (0: no limit).
-- Reply {'done'}; {'superseded'}: it is another rebuild, or another state, by now; or {'days', pool, zone, now}: give the
--   pool's days and do it all again.
local ALLOCATED, ENDED, REPORTED = 1, 2, 3
-- A server whose clock is behind that of another before it goes on from there, unless that one was quite wrong.
local AHEAD_MOST_MS = 3600000
local brought = ARGV[4] == '1'

local function text(event, place)
    local bytes = string.byte(event, place)
    return sub(event, place + 1, place + bytes), place + 1 + bytes
end

local function read(event)
    local e = { bytes = event }
    local place
    e.kind, e.id, e.at, place = unpack_bytes('>Bc16I6', event)
    if e.kind ~= ALLOCATED then
        -- An id carries its number, see new_id in decide.lua.
        local high, low = unpack_bytes('>I2I6', event, 10)
        e.digits = format('%015d', high % 4 * 281474976710656 + low)
        return e
    end
    local number
    e.ends, number, place = unpack_bytes('>I6I7', event, place)
    e.digits = format('%015d', number)
    e.pool, place = text(event, place + 1)
    local destination
    destination, place = unpack_bytes('>I7', event, place)
    e.destination = format('%015d', destination)
    local _
    _, place = text(event, place)
    e.agent, place = text(event, place)
    e.call = text(event, place)
    return e
end

local function hold(n, e, ended)
    if ended > 0 or e.ends <= now then
        n.last_end = math.max(n.last_end, ended > 0 and ended or e.ends)
    else
        n.holds[#n.holds + 1] = { id = e.id, ends = e.ends }
        if e.call ~= '' then remember_call(e.call, e.bytes, e.ends) end
    end
end

local function show(e)
    local pool = pool_of(e.pool)
    if not pool or pool.sticky == 0 or e.at + pool.sticky <= now then return end
    local key = prefix .. KEY_SHOWN .. e.destination .. ':' .. e.pool
    local known = call('GET', key)
    if not known or unpack_bytes('>I6', known) < e.at then
        call('SET', key, pack('>I6c15', e.at, e.digits), 'PXAT', expires(e.at + pool.sticky))
    end
end

local function limit(e)
    if e.interval == 0 or e.agent == '' then return end
    local key = prefix .. KEY_AGENT .. e.agent
    local arrival = math.max(tonumber(call('GET', key) or 0), e.at * 1000) + e.interval
    if arrival > now * 1000 then
        call('SET', key, format('%d', arrival), 'PXAT', expires(math.ceil(arrival / 1000)))
    end
end

local function count(e, n, ended)
    local pool = n and pool_of(n.pool)
    if not pool or held_by(n, e.id) then return end
    count_hour(n, floor(e.at / BUCKET_MS))
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

-- Time goes on from the latest of them; what is far ahead of all clocks counts as made now, and what ended by then as ended.
local function follow_time(events)
    local latest = now
    for _, e in ipairs(events) do latest = math.max(latest, e.at) end
    -- Of the server's own time: what is brought bit by bit leads no further.
    now = math.max(now, math.min(latest, clock_wall + AHEAD_MOST_MS))
    now_bucket = floor(now / BUCKET_MS)
    for _, e in ipairs(events) do
        local ahead = math.max(0, e.at - now)
        e.at, e.ends = e.at - ahead, e.ends and e.ends - ahead
        e.ended = math.min(e.ended, now)
    end
end

local function read_all()
    local events = {}
    for place = 6, #ARGV, 3 do
        local e = read(ARGV[place])
        e.ended = tonumber(ARGV[place + 1])
        e.interval = tonumber(ARGV[place + 2])
        events[#events + 1] = e
    end
    follow_time(events)
    -- Nothing is written before all days are known.
    for _, e in ipairs(events) do
        local n = number_of(e.digits)
        if n then pool_of(n.pool) end
        if e.pool then pool_of(e.pool) end
    end
    return events
end

-- An end, or how the call went, may be brought before its allocation, by another node: it waits for it here, and in the journal
-- follows it.
local function replay_allocation(e)
    local early = call('HGET', prefix .. KEY_REPLAYED, string.char(ENDED) .. e.id)
    -- Where the number is not known yet, it may be brought once more and is counted then.
    local known = number_of(e.digits)
    if known and call('HSETNX', prefix .. KEY_REPLAYED, string.char(ALLOCATED) .. e.id, '') == 1 then
        local ended = e.ended
        if early and ended == 0 then ended = math.min(read(early).at, now) end
        count(e, known, ended)
    end
    if brought then
        tell(e.bytes)
        if early then tell(early) end
        local said = call('HGET', prefix .. KEY_REPLAYED, string.char(REPORTED) .. e.id)
        if said then tell(said) end
    end
end

local function replay_end(e)
    local new = call('HSETNX', prefix .. KEY_REPLAYED, string.char(ENDED) .. e.id, e.bytes) == 1
    if new then finish(e) end
    if brought then tell(e.bytes) end
end

local function replay_report(e)
    call('HSETNX', prefix .. KEY_REPLAYED, string.char(REPORTED) .. e.id, e.bytes)
    if brought then tell(e.bytes) end
end

local REPLAY = { [ALLOCATED] = replay_allocation, [ENDED] = replay_end, [REPORTED] = replay_report }

local function is_for_this_state(id)
    return is_rebuilding(id) or (brought and not lost and state_id == id)
end

local function replay()
    if not is_for_this_state(ARGV[3]) then return { 'superseded' } end
    if lost then call('HDEL', prefix .. KEY_REBUILD, 'untouched') end
    for _, e in ipairs(read_all()) do
        REPLAY[e.kind](e)
    end
    call('PEXPIRE', prefix .. KEY_REPLAYED, ARGV[5])
    if brought and lost then note_busy() end
    return { 'done' }
end

local reply = with_days(replay)
write_journal()
write_clock()
return reply
