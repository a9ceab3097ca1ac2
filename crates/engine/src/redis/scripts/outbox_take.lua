-- Gives the oldest events of the journal to the one node that stores them.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server, 3 node, 4 for how long it stays the one, in milliseconds, 5 most events, 6 whether what was set
--   aside joins the journal once more (1 or 0): this node may be of a version that reads it.
-- Reply {the run of the server, the entries: as many as have so many events, one at least}; or 0 while another node is the one.
--
-- The one is so in one run of the server. In another run its place in the stream may mean other events.
local key = prefix .. KEY_DRAINER
local mine, drainer = ARGV[3] .. ' ' .. server, call('GET', key)
local of_this_run = drainer and sub(drainer, -#server - 1) == ' ' .. server
if of_this_run and drainer ~= mine then return 0 end
-- Who has deleted something may write even where memory is used up; else nothing would ever be taken off there.
call('DEL', key)
call('SET', key, mine, 'PX', ARGV[4])
if ARGV[6] == '1' then
    for _, entry in ipairs(call('XRANGE', prefix .. KEY_ASIDE, '-', '+')) do
        call('XADD', journal, '*', 'n', told, entry[2][3], entry[2][4])
        told = told + 1
    end
    call('XTRIM', prefix .. KEY_ASIDE, 'MAXLEN', '0')
    write_clock()
end
local entries, from, count = {}, '-', 0
while true do
    local some = call('XRANGE', journal, from, '+', 'COUNT', '64')
    for _, entry in ipairs(some) do
        count = count + #entry[2] / 2 - 1
        if entries[1] and count > tonumber(ARGV[5]) then return { server, entries } end
        entries[#entries + 1] = entry
    end
    if not some[64] then return { server, entries } end
    from = '(' .. some[64][1]
end
