-- Makes a pool or changes its policy. Local midnights stay while the zone does.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, 3 pool, 4 its value without midnights (see number.lua), 5 where the inventory must be
--   (empty: anywhere).
-- Reply {whether numbers may stand in the wrong place: 0 or 1 (-1: the inventory is not where it must be), generation}.
if ARGV[5] ~= '' and ARGV[5] ~= (redis.call('GET', prefix .. KEY_INVENTORY) or NO_INVENTORY) then return { -1, 0 } end
local name, given = ARGV[3], ARGV[4]
local new, stale, generation, midnights = read_pool(name, given), 0, 1, ''
local old = redis.call('HGET', prefix .. KEY_POOLS, name)
if old then
    old = read_pool(name, old)
    local same_zone = old.zone == new.zone
    local same = same_zone and old.cooldown == new.cooldown and old.most == new.most
    stale = same and old.stale or 1
    generation = same and old.generation or (old.generation + 1) % 4294967296
    if same_zone then midnights = string.sub(old.value, old.days) end
end
local value = struct.pack('>BBI4', FORMAT, stale, generation) .. string.sub(given, 7) .. midnights
redis.call('HSET', prefix .. KEY_POOLS, name, value)
write_clock()
return { stale, generation }
