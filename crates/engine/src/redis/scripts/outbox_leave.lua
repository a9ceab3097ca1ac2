-- Lets another node store the events of the journal: this one cannot.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server, 3 node.
-- Reply whether it was the one: 1 or 0.
local key = prefix .. KEY_DRAINER
if call('GET', key) ~= ARGV[3] .. ' ' .. server then return 0 end
return call('DEL', key)
