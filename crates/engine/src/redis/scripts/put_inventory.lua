-- Makes pools or changes their policies, and adds numbers or changes what their owner says of them; the inventory is
-- somewhere else then. Use and reservations so far are kept. All of it is one step: no other node comes between.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 value of a pool that nobody put, 4 where the inventory must be (empty: anywhere), 5
--   where it is then, 6 the rebuild that this is part of (empty: none), 7 how many pools, then of each pool: name, value
--   without midnights (see number.lua); then of each number: 15 digits, status, resting until, group, region, daily limit,
--   hourly limit, pool.
-- Reply {'lost'}: the state is not whole, and another node brings the inventory; {'put', how many events there were so
--   far, names of the pools whose numbers may stand in the wrong place}; {'elsewhere'}: the inventory is not where it
--   must be, nothing was changed; or {'days', pool, zone, now}: give the pool's days and put all of it again. Policies are
--   written then, because days are given by the zone that is written; they are what the next try, or another node's step
--   from the same place, puts again. Numbers are not, and the inventory stays where it is.
local NO_HOLDS = {}

-- A number that was never used, as its owner describes it.
local function new_number(digits)
    return {
        digits = digits, status = 0, resting = 0, daily = 0, hourly = 0, region = NO_REGION, group = '', pool = '', last_used = 0,
        last_end = 0, bucket = 0, hour_uses = 0, hour = NO_HOUR, day_start = 0, day_uses = 0, day_before = 0, day_last = 0,
        holds = NO_HOLDS,
    }
end

local function put_number(from)
    local digits, name = ARGV[from], ARGV[from + 7]
    local pool = pool_of(name)
    local n = number_of(digits)
    local group, region = ARGV[from + 3], ARGV[from + 4]
    if not n then
        n = new_number(digits)
    elseif n.pool ~= name or n.group ~= group or n.region ~= region then
        displace(n)
    end
    n.status, n.resting = tonumber(ARGV[from + 1]), tonumber(ARGV[from + 2])
    n.daily, n.hourly = tonumber(ARGV[from + 5]), tonumber(ARGV[from + 6])
    n.group, n.region, n.pool = group, region, name
    write_number(n)
    place(n, pool)
end

-- Whether numbers of the pool may stand in the wrong place then. Local midnights stay while the zone does.
local function put_pool(name, given)
    local new, stale, generation, midnights = read_pool(name, given), 0, 1, ''
    local old = call('HGET', POOLS, name)
    if old then
        old = read_pool(name, old)
        local same_zone = old.zone == new.zone
        local same = same_zone and old.cooldown == new.cooldown and old.most == new.most
        stale = same and old.stale or 1
        generation = same and old.generation or (old.generation + 1) % 4294967296
        if same_zone then midnights = sub(old.value, old.days) end
    end
    local value = pack('>BBI4', FORMAT, stale, generation) .. sub(given, 7) .. midnights
    if not old or value ~= old.value then call('HSET', POOLS, name, value) end
    if stale == 1 then call('ZADD', prefix .. KEY_UNSETTLED, format('%d', now), name) end
    return stale == 1
end

local FIRST = 8

local function put_pools(last)
    local reply = { 'put', told }
    for from = FIRST, last, 2 do
        if put_pool(ARGV[from], ARGV[from + 1]) then reply[#reply + 1] = ARGV[from] end
    end
    return reply
end

local function put_inventory()
    if ARGV[4] ~= '' and lost and not is_rebuilding(ARGV[6]) then return { 'lost' } end
    if ARGV[4] ~= '' and ARGV[4] ~= (call('GET', prefix .. KEY_INVENTORY) or NO_INVENTORY) then
        return { 'elsewhere' }
    end
    local last = FIRST - 1 + 2 * tonumber(ARGV[7])
    local reply = put_pools(last)
    for from = last + 1, #ARGV, 8 do
        local name = ARGV[from + 7]
        if pools[name] == nil then call('HSETNX', POOLS, name, ARGV[3]) end
        pool_of(name)
    end
    lowered = {}
    for from = last + 1, #ARGV, 8 do put_number(from) end
    if ARGV[4] ~= '' then call('SET', prefix .. KEY_INVENTORY, ARGV[5]) end
    return reply
end

local reply = with_days(put_inventory)
write_clock()
return reply
