-- Gives how far jobs are: all of them, or one.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of a job (empty: all of them, without what is long).
-- Reply of each four texts: 'running' or 'ended', how many milliseconds ago it was heard of, how far it was, and what is long.
local one, reply = ARGV[3] ~= '', {}
local ids = one and { ARGV[3] } or redis.call('ZRANGE', prefix .. KEY_JOBS, 0, -1)
for _, id in ipairs(ids) do
    local key = prefix .. KEY_JOB .. id
    local told = redis.call('HMGET', key, 'standing', 'heard', 'text')
    -- Its time may be over, and the list not know it yet.
    if told[1] and told[2] and told[3] then
        local at = #reply
        reply[at + 1], reply[at + 3] = told[1], told[3]
        reply[at + 2] = string.format('%.0f', math.max(0, now - tonumber(told[2])))
        reply[at + 4] = one and redis.call('HGET', key, 'more') or ''
    end
end
return reply
