-- Writes down what a node counted in some steps of time, in place of what it said of them before.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 for how long that is kept, in milliseconds, 4 name of the node, then for each step: the step,
--   and what was counted.
-- Reply nothing.
local own = '\n' .. ARGV[4] .. ' '
for at = 5, #ARGV, 2 do
    local key = prefix .. KEY_PULSE .. ARGV[at]
    -- A line of each node, and each line has an end before it, too.
    local said = redis.call('GET', key) or '\n'
    local from = string.find(said, own, 1, true)
    if from then
        local to = string.find(said, '\n', from + 1, true)
        said = string.sub(said, 1, from) .. string.sub(said, to + 1)
    end
    redis.call('SET', key, said .. ARGV[4] .. ' ' .. ARGV[at + 1] .. '\n', 'PX', ARGV[3])
end
return 0
