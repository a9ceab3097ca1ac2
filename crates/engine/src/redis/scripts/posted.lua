-- Gives what people are shown on every node.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 name of the list, 4 at most so many lines.
-- Reply the lines, oldest first.
local reply = {}
for _, entry in ipairs(redis.call('XRANGE', prefix .. ARGV[3], '-', '+', 'COUNT', tonumber(ARGV[4]))) do
    reply[#reply + 1] = entry[2][2]
end
return reply
