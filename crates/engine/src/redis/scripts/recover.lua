-- Takes over what history knows and this server does not. A number that was used as late or later here stays as it is: history
-- is taken once, and what came since was counted beside it.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 id of the rebuild that this belongs to (empty: none), then any of
--   'usage', number (15 digits), its use (79 bytes, see number.lua), its holds (22 bytes each);
--   'call', call id, event, end of the reservation;
--   'shown', destination (15 digits), pool, number (15 digits), instant, until when it is worth knowing;
--   'agent', agent, instant at which the limit is full again, in microseconds.
-- Reply {'done'}; {'superseded'}: that rebuild is over; or {'days', pool, zone, now}: give the pool's days and do it all
--   again.
local steps = {}

function steps.usage(from)
    local n, given, holds = number_of(ARGV[from]), ARGV[from + 1], ARGV[from + 2]
    local pool = n and pool_of(n.pool)
    -- Its first six bytes are its last use.
    if pool and n.last_used < unpack_bytes('>I6', given) then
        n.last_used, n.last_end, n.bucket, n.hour_uses, n.hour, n.day_start, n.day_uses, n.day_before, n.day_last =
            unpack_bytes(USED, given)
        n.holds = {}
        for at = 1, #holds, HELD_BYTES do
            local id, ends = unpack_bytes(HELD, holds, at)
            n.holds[#n.holds + 1] = { id = id, ends = ends }
        end
        write_number(n)
        place(n, pool)
    end
    return from + 3
end

function steps.call(from)
    remember_call(ARGV[from], ARGV[from + 1], tonumber(ARGV[from + 2]))
    return from + 3
end

function steps.shown(from)
    local key = prefix .. KEY_SHOWN .. ARGV[from] .. ':' .. ARGV[from + 1]
    local at, known = tonumber(ARGV[from + 3]), call('GET', key)
    if not known or unpack_bytes('>I6', known) < at then
        local shown = pack('>I6c15', at, ARGV[from + 2])
        call('SET', key, shown, 'PXAT', expires(tonumber(ARGV[from + 4])))
    end
    return from + 5
end

function steps.agent(from)
    local key, arrival = prefix .. KEY_AGENT .. ARGV[from], tonumber(ARGV[from + 1])
    if arrival > tonumber(call('GET', key) or 0) then
        call('SET', key, format('%d', arrival), 'PXAT', expires(math.ceil(arrival / 1000)))
    end
    return from + 2
end

local function recover()
    if ARGV[3] ~= '' and not is_rebuilding(ARGV[3]) then return { 'superseded' } end
    if lost then call('HDEL', prefix .. KEY_REBUILD, 'untouched') end
    local from = 4
    while from <= #ARGV do from = steps[ARGV[from]](from + 1) end
    return { 'done' }
end

local reply = with_days(recover)
write_clock()
return reply
