-- Notes that events were counted with what history says of their numbers: they are not counted once more, whoever brings them.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of the rebuild, 4 for how long it is remembered that they were counted, in milliseconds;
--   then events of the store (see event.rs), of an allocation its beginning at least.
-- Reply {'done'}; or {'superseded'}: that rebuild is over.
local ALLOCATED = 1
-- The kind, and the id of the allocation.
local NAME_BYTES = 17

local function note()
    if not is_rebuilding(ARGV[3]) then return { 'superseded' } end
    local replayed = prefix .. KEY_REPLAYED
    for place = 5, #ARGV do
        local event = ARGV[place]
        local name, value = sub(event, 1, NAME_BYTES), event
        if byte(event) == ALLOCATED then
            -- An id carries its number, see new_id in decide.lua. One that is not known was not counted.
            local high, low = unpack_bytes('>I2I6', event, 10)
            local digits = format('%015d', high % 4 * 281474976710656 + low)
            value = call('GET', NUMBERS .. digits) and ''
        end
        if value then call('HSET', replayed, name, value) end
    end
    call('PEXPIRE', replayed, ARGV[4])
    return { 'done' }
end

local reply = note()
write_clock()
return reply
