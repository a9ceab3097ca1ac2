-- The journal: what happened, on its way to the store (see event.rs). Goes in front of each script, behind clock.lua.
--
-- An entry of the stream has all that one script did: field `n`, how many events joined the journal before, then a field `e`
-- for each event.

local journal = prefix .. KEY_JOURNAL
-- No script does more.
local EVENTS_OF_A_SCRIPT = 256
local events = {}

local function tell(event)
    events[#events + 1] = event
end

-- Goes in front of write_clock, which remembers how many there were.
local function write_journal()
    if not events[1] then return end
    local fields = { 'n', told }
    for _, event in ipairs(events) do
        fields[#fields + 1] = 'e'
        fields[#fields + 1] = event
    end
    redis.call('XADD', journal, '*', unpack(fields))
    told = told + #events
end

-- How many events wait: all that joined since the first entry that is still there.
local function count_waiting()
    local first = redis.call('XRANGE', journal, '-', '+', 'COUNT', '1')[1]
    if not first then return #events end
    -- What is not ours has no such number.
    return math.max(told - (tonumber(first[2][2]) or told), redis.call('XLEN', journal)) + #events
end

-- Whether so many events wait that no more may. Entries are counted faster than events.
local entries = nil
local function is_full(most)
    entries = entries or redis.call('XLEN', journal)
    return (entries + 1) * EVENTS_OF_A_SCRIPT >= most and count_waiting() >= most
end
