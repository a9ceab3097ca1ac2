-- Writes down what a node tells all others of itself, and gives what all of them tell that were heard of lately.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 name of the node (empty: only read), 4 what it tells (empty: it leaves), 5 for how long
--   that is believed, in milliseconds.
-- Reply name and what it tells, of each node.
local key, own = prefix .. KEY_SETTINGS, ARGV[3] .. '\n'
local all, reply = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), {}
for at = 1, #all, 2 do
    local member = all[at]
    local ends = string.find(member, '\n', 1, true)
    local is_own = ARGV[3] ~= '' and string.sub(member, 1, #own) == own
    if is_own or not ends or tonumber(all[at + 1]) + tonumber(ARGV[5]) < now then
        if ARGV[3] ~= '' then redis.call('ZREM', key, member) end
    else
        reply[#reply + 1] = string.sub(member, 1, ends - 1)
        reply[#reply + 1] = string.sub(member, ends + 1)
    end
end
if ARGV[3] ~= '' and ARGV[4] ~= '' then redis.call('ZADD', key, string.format('%.0f', now), own .. ARGV[4]) end
return reply
