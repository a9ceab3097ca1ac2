-- Asks for the end of a job: the node that runs it is told when it next tells of it.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of the job.
-- Reply whether there is such a job: 1 or 0.
local key = prefix .. KEY_JOB .. ARGV[3]
if not redis.call('HGET', key, 'text') then return 0 end
redis.call('HSET', key, 'end', '1')
return 1
