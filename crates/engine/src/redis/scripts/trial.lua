-- Whether this user may run every command that our scripts call: each is called on one key, of which nothing is left.
--
-- Gives the names of those that it may not run; something else that is wrong is an error of the command that it stopped.
local function trial(key)
    local forbidden, wrong = {}, nil
    local function try(name, ...)
        local answer = redis.pcall(name, ...)
        if type(answer) ~= 'table' or not answer.err then return end
        -- "can't run this command" or "has no permissions to run the 'xadd' command".
        if string.find(answer.err, ' run th', 1, true) then
            forbidden[#forbidden + 1] = string.lower(name)
        elseif not wrong then
            wrong = answer
        end
    end
    -- First of those that write: once a script has written, it may go on where memory is used up.
    try('SET', key, '1')
    try('TIME')
    try('PEXPIRE', key, 1000)
    try('GET', key)
    try('MGET', key)
    try('DEL', key)
    try('HSET', key, 'a', '1')
    try('HSETNX', key, 'a', '1')
    try('HGET', key, 'a')
    try('HMGET', key, 'a', 'b')
    try('HDEL', key, 'a')
    try('DEL', key)
    try('SADD', key, 'a')
    try('SMEMBERS', key)
    try('DEL', key)
    try('ZADD', key, 1, 'a')
    try('ZRANGE', key, 0, 0)
    try('ZSCAN', key, '0')
    try('ZCOUNT', key, '-inf', '+inf')
    try('ZREM', key, 'b')
    try('DEL', key)
    try('XADD', key, '*', 'a', '1')
    try('XRANGE', key, '-', '+', 'COUNT', 1)
    try('XLEN', key)
    try('XTRIM', key, 'MAXLEN', 1)
    try('DEL', key)
    if #forbidden == 0 and wrong then return wrong end
    return forbidden
end
