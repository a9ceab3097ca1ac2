-- Several requests, releases and reports, one after the other, each an atomic step of the rule book. Goes behind choose.lua.
--
-- KEYS  1 clock, 2 pools, 3 journal. All others are made from the prefix; the hash tag in it keeps them in one slot.
-- ARGV  1 prefix, 2 now and server (see clock.lua), 3 most events that may wait in the journal; then the steps. Each is bytes
--   (see step.rs): its kind (1 allocate, 2 release, 3 report), and what ASK, RELEASE or REPORT says.
-- Reply the id of the state, then of each step: a string, see GOT: a number; or {'none', earliest (-1: never), cause, now},
--   {'over', milliseconds to wait}, {'ended', id, at}, {'reported', id, at, whether
--   its reservation ended by it (0 or 1)}, {'nothing'},
--   {'days', pool, zone, now}: give the pool's days and ask again, {'lost'}: the state must be rebuilt first, {'full',
--   events}: as many events wait as may, or {'failed', why}.
--
-- An event is what the journal keeps (see event.rs): kind, id, instant; of an allocation also reservation's end, number,
-- rung, pool, and the rest that the asker gave; of an end how; of a report what it says, how first.

local ALLOCATE = 1
-- Of a release: kind, how the call ended, number (15 digits, or empty), and the allocation's id or the call's.
local GIVE_BACK, RELEASE = 2, '>Bc1Bc0Bc0'
-- Of a report: kind, what it says (opaque but for its first byte: how the call ended), then as of a release.
local REPORT = '>BBc0Bc0Bc0'
local EVENT = '>Bc16I6I6I7BBc0c0'

local ALLOCATED, ENDED, REPORTED = 1, 2, 3
local AGENT_EXPIRES = expires(now + MINUTE_US / 1000)

-- Holds the number and counts its use.
local function record(n, pool, id, ends)
    local count, ended = live(n)
    local holds = { { id = id, ends = ends } }
    if count > 0 then
        for _, hold in ipairs(n.holds) do
            if hold.ends > now then holds[#holds + 1] = hold end
        end
    end
    n.holds, n.last_used, n.last_end = holds, now, ended
    count_hour(n, n.bucket > now_bucket and n.bucket or now_bucket)
    count_day(n, pool, now)
end

-- A UUID of version 7 with the number in it, as the memory engine makes it.
local function new_id(digits)
    salt = (salt + 1) % 16777216
    local number, low = tonumber(digits), salt % 4096
    local top = floor(number / 281474976710656)
    return pack('>I6I2I2I6', now, 28672 + floor(salt / 4096), 32768 + low * 4 + top, number % 281474976710656)
end

-- Rule 6: reserve and count.
local function take(ask, n, rung, arrival)
    local pool = pool_of(n.pool)
    local id, ends = new_id(n.digits), now + pool.reservation
    local event = pack(EVENT, ALLOCATED, id, now, ends, tonumber(n.digits), rung, #pool.name, pool.name, ask.rest)
    record(n, pool, id, ends)
    write_number(n)
    if rung == STICKY then place(n, pool) else move_back(n, pool) end
    tell(event)
    if ask.call ~= '' then
        pool.call_expires = pool.call_expires or expires(ends)
        call('SET', CALLS .. ask.call, event, 'PXAT', pool.call_expires)
    end
    if pool.sticky > 0 then
        pool.shown_expires = pool.shown_expires or expires(now + pool.sticky)
        local shown = pack('>I6c15', now, n.digits)
        call('SET', SHOWN .. ask.destination .. ':' .. pool.name, shown, 'PXAT', pool.shown_expires)
    end
    local left = NO_LIMIT
    if arrival then
        left = remaining(arrival, ask.interval)
        call('SET', AGENTS .. ask.agent, format('%d', arrival), 'PXAT', AGENT_EXPIRES)
    end
    return got(event, n, left, 0)
end

local function allocate(ask)
    local n, rung, arrival = choose(ask)
    if not n then return rung end
    return take(ask, n, rung, arrival)
end

-- The allocation that is meant, by its number and id, or by no number and its call: its id and its number's digits.
local function meant(digits, id)
    if digits ~= '' then return id, digits end
    local event = call('GET', CALLS .. id)
    if not event then return nil end
    return held_in(event)
end

-- Ends a reservation, where it lives; tells whether it did.
local function end_hold(n, id, how)
    local pool = n and pool_of(n.pool)
    local held = n and held_by(n, id)
    if not held then return false end
    if now > n.last_end then n.last_end = now end
    table.remove(n.holds, held)
    write_number(n)
    if pool then place(n, pool) end
    tell(pack('>Bc16I6', ENDED, id, now) .. how)
    return true
end

local function release(id, digits, how)
    if not id or not end_hold(number_of(digits), id, how) then return { 'nothing' } end
    return { 'ended', id, now }
end

-- How a call went joins the journal whether its reservation lives or not; where it does not, only while there is room.
local function report(id, digits, said)
    local n = id and number_of(digits)
    if not n then return { 'nothing' } end
    if not held_by(n, id) and is_full(waiting_most) then return { 'full', count_waiting() } end
    local released = end_hold(n, id, sub(said, 1, 1))
    tell(pack('>Bc16I6', REPORTED, id, now) .. said)
    return { 'reported', id, now, released and 1 or 0 }
end

local function take_step(step)
    local kind = byte(step)
    if kind == ALLOCATE then return allocate(read_ask(step)) end
    if kind == GIVE_BACK then
        local _, how, digits, id = unpack_bytes(RELEASE, step)
        id, digits = meant(digits, id)
        return release(id, digits, how)
    end
    local _, said, digits, id = unpack_bytes(REPORT, step)
    id, digits = meant(digits, id)
    return report(id, digits, said)
end

-- One that fails, fails alone.
local function attempt(step)
    local done, reply = pcall(take_step, step)
    if done then return reply end
    if reply == DAYS_MISSING then return days_missing() end
    return { 'failed', type(reply) == 'table' and reply.err or tostring(reply) }
end

local replies = { state_id }
for place = 4, #ARGV do replies[place - 2] = lost and { 'lost' } or attempt(ARGV[place]) end
if not lost then
    write_journal()
    write_clock()
end
return replies
