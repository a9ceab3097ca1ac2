-- Writes down what people are shown on every node, and forgets the oldest of it.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 so many lines are kept, then the lines, oldest first.
-- Reply nothing.
local key = prefix .. KEY_REQUESTS
for at = 4, #ARGV do redis.call('XADD', key, '*', 'l', ARGV[at]) end
redis.call('XTRIM', key, 'MAXLEN', tonumber(ARGV[3]))
return 0
