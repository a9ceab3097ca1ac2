-- Gives the oldest events of the journal to the one node that stores them.
--
-- KEYS  3 journal.
-- ARGV  1 prefix, 2 now and server, 3 node, 4 for how long it stays the one, in milliseconds, 5 most events.
-- Reply the entries; or 0 while another node is the one.
local key = prefix .. KEY_DRAINER
local drainer = redis.call('GET', key)
if drainer and drainer ~= ARGV[3] then return 0 end
redis.call('SET', key, ARGV[3], 'PX', ARGV[4])
return redis.call('XRANGE', prefix .. KEY_JOURNAL, '-', '+', 'COUNT', ARGV[5])
