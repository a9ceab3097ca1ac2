-- Forgets events of the journal that are stored, and sets aside what could not be read.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server, 3 node, 4 the run of the server that gave them, 5 place of the last of them, 6 how
--   many may be set aside; then of each that is to be: its place, its field, its value.
-- Reply how many entries there were; 0 too when another run of the server gave them, or another node has the work by now: what
--   stands in those places may be something else. Then they are given again. -1: too many
--   are set aside; nothing was done.
local drainer = call('GET', prefix .. KEY_DRAINER)
if ARGV[4] ~= server or (drainer and drainer ~= ARGV[3] .. ' ' .. server) then return 0 end
local aside, more = prefix .. KEY_ASIDE, (#ARGV - 6) / 3
if more > 0 then
    if call('XLEN', aside) + more > tonumber(ARGV[6]) then return -1 end
    -- Who has deleted something may write even where memory is used up.
    call('DEL', prefix .. KEY_PROBE)
    for at = 7, #ARGV, 3 do call('XADD', aside, '*', 'from', ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
end
local ms, sequence = string.match(ARGV[5], '^(%d+)-(%d+)$')
local next_place = format('%s-%d', ms, tonumber(sequence) + 1)
return call('XTRIM', journal, 'MINID', next_place)
