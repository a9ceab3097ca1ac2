-- Writes down how far a job is, and forgets the oldest of those that do not go on.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of the job, 4 'running' or 'ended', 5 how far it is, 6 what is long, behind a '+' (empty:
--   as it was), 7 so many jobs are kept, 8 one that was not heard of for so long does not go on, 9 for how long it is kept, both
--   in milliseconds.
-- Reply whether somebody asked for its end, whether nothing was known of it: 1 or 0 each.
local jobs, id, most = prefix .. KEY_JOBS, ARGV[3], tonumber(ARGV[7])
local key = prefix .. KEY_JOB .. id
local is_new = redis.call('HSETNX', key, 'begun', string.format('%.0f', now))
redis.call('HSET', key, 'heard', string.format('%.0f', now), 'standing', ARGV[4], 'text', ARGV[5])
if ARGV[6] ~= '' then redis.call('HSET', key, 'more', string.sub(ARGV[6], 2)) end
if is_new == 1 then redis.call('ZADD', jobs, string.format('%.0f', now), id) end
redis.call('PEXPIRE', key, ARGV[9])
redis.call('PEXPIRE', jobs, ARGV[9])

local all = redis.call('ZRANGE', jobs, 0, -1)
local over = #all - most
for _, other in ipairs(all) do
    if over <= 0 then break end
    local other_key = prefix .. KEY_JOB .. other
    local heard = redis.call('HMGET', other_key, 'heard', 'standing')
    local goes_on = heard[2] == 'running' and tonumber(heard[1]) + tonumber(ARGV[8]) >= now
    if other ~= id and not goes_on then
        redis.call('DEL', other_key)
        redis.call('ZREM', jobs, other)
        over = over - 1
    end
end
return { redis.call('HGET', key, 'end') and 1 or 0, is_new }
