-- Writes down what people are shown on every node, and forgets the oldest of it.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 name of the list, 4 so many lines are kept, then the lines, oldest first.
-- Reply nothing.
local key = prefix .. ARGV[3]
for at = 5, #ARGV do redis.call('XADD', key, '*', 'l', ARGV[at]) end
redis.call('XTRIM', key, 'MAXLEN', tonumber(ARGV[4]))
return 0
