-- Adds numbers, or changes what their owner says of them. Use and reservations so far are kept.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 value of a pool that nobody put, 4 where the inventory must be (empty: anywhere), 5
--   where it is then, then of each number: 15 digits, status, resting until, area code, region, daily limit, hourly limit,
--   pool.
-- Reply {'done'}; {'elsewhere'}: the inventory is not where it must be; or {'days', pool, zone, now}: give the pool's days and put them all again.
local UNUSED = {
    last_used = 0, last_end = 0, bucket = 0, hour = NO_HOUR, day_start = 0, day_uses = 0, day_before = 0, day_last = 0,
}

local function new_number(digits)
    local n = { digits = digits, holds = {} }
    for field, value in pairs(UNUSED) do n[field] = value end
    numbers[digits] = n
    return n
end

local function put_number(from)
    local digits, name = ARGV[from], ARGV[from + 7]
    local pool = pool_of(name)
    local n = number_of(digits)
    local area, region = tonumber(ARGV[from + 3]), ARGV[from + 4]
    if not n then
        n = new_number(digits)
    elseif n.pool ~= name or n.area ~= area or n.region ~= region then
        displace(n)
    end
    n.status, n.resting = tonumber(ARGV[from + 1]), tonumber(ARGV[from + 2])
    n.daily, n.hourly = tonumber(ARGV[from + 5]), tonumber(ARGV[from + 6])
    n.area, n.region, n.pool, n.owned = area, region, name, nil
    write_number(n)
    place(n, pool)
end

local FIRST = 6

local function put_numbers()
    if ARGV[4] ~= '' then
        if ARGV[4] ~= (redis.call('GET', prefix .. KEY_INVENTORY) or NO_INVENTORY) then return { 'elsewhere' } end
    end
    for from = FIRST, #ARGV, 8 do
        local name = ARGV[from + 7]
        if pools[name] == nil then redis.call('HSETNX', prefix .. KEY_POOLS, name, ARGV[3]) end
        pool_of(name)
    end
    for from = FIRST, #ARGV, 8 do put_number(from) end
    if ARGV[4] ~= '' then redis.call('SET', prefix .. KEY_INVENTORY, ARGV[5]) end
    return { 'done' }
end

local reply = with_days(put_numbers)
write_clock()
return reply
