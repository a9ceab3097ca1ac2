-- What would be answered to a request now. Goes behind choose.lua. Nothing is changed.
--
-- KEYS  1 clock, 2 pools, 3 journal.
-- ARGV  1 prefix, 2 now and server, 3 most events that may wait in the journal, 4 the request (kind, and what ASK says).
-- Reply {'turn', number (15 digits), pool, rung} of the one whose turn it is; else as decide.lua.
local function foresee()
    only_look()
    local n, rung = choose(read_ask(ARGV[4]))
    if not n then return rung end
    return { 'turn', n.digits, n.pool, rung }
end

if lost then return { 'lost' } end
return with_days(foresee)
