-- Forgets events of the journal that are stored.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server, 3 place of the last of them.
-- Reply how many there were.
local ms, sequence = string.match(ARGV[3], '^(%d+)-(%d+)$')
local next_place = string.format('%s-%.0f', ms, tonumber(sequence) + 1)
return redis.call('XTRIM', prefix .. KEY_JOURNAL, 'MINID', next_place)
