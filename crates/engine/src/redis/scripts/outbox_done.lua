-- Forgets events of the journal that are stored.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server, 3 node, 4 the run of the server that gave them, 5 place of the last of them.
-- Reply how many entries there were; 0 too when another run of the server gave them, or another node has the work by now: what
--   stands in those places may be something else. Then they are given again.
local drainer = call('GET', prefix .. KEY_DRAINER)
if ARGV[4] ~= server or (drainer and drainer ~= ARGV[3] .. ' ' .. server) then return 0 end
local ms, sequence = string.match(ARGV[5], '^(%d+)-(%d+)$')
local next_place = format('%s-%d', ms, tonumber(sequence) + 1)
return call('XTRIM', journal, 'MINID', next_place)
