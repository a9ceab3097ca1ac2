-- Gives the oldest events of the journal to the one node that stores them.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server, 3 node, 4 for how long it stays the one, in milliseconds, 5 most events.
-- Reply {the run of the server, the entries}; or 0 while another node is the one.
--
-- The one is so in one run of the server. In another run its place in the stream may mean other events.
local key = prefix .. KEY_DRAINER
local mine, drainer = ARGV[3] .. ' ' .. server, redis.call('GET', key)
local of_this_run = drainer and string.sub(drainer, -#server - 1) == ' ' .. server
if of_this_run and drainer ~= mine then return 0 end
-- Who has deleted something may write even where memory is used up; else nothing would ever be taken off there.
redis.call('DEL', key)
redis.call('SET', key, mine, 'PX', ARGV[4])
return { server, redis.call('XRANGE', prefix .. KEY_JOURNAL, '-', '+', 'COUNT', ARGV[5]) }
