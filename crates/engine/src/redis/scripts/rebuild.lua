-- Takes, or keeps, the work of rebuilding the state.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of the rebuild, which the state has then, 4 for how long, in milliseconds, 5
--   'begin', 'keep', 'merge', or 'leave' (to another node), 6 with 'merge' since when nodes bring what they acknowledged (empty: all of it), with 'begin' the
--   rebuild that this node did not end (may be empty).
-- Reply {when the first rebuild since the loss began (0: another node has it, or nothing is to be rebuilt), up to when the
--   state is whole (0: nothing is known), 1 where nothing was ever counted into it (else 0)}.
local key, id = prefix .. KEY_REBUILD, ARGV[3]
if ARGV[5] == 'begin' then
    if not lost then return { 0, 0, 0 } end
    local had = call('HMGET', key, 'id', 'server', 'ends', 'begun', 'untouched')
    -- What another run of the server left says nothing of who is at it now.
    local taken = had[1] and had[2] == server and now < tonumber(had[3])
    if taken and had[1] ~= ARGV[6] then return { 0, 0, 0 } end
    -- Who lost the clock may have lost any number, too: all of them are put again. History takes the place of what is here,
    -- so what was counted into that counts again.
    local nothing_known = tonumber(whole_until) == 0
    -- It has the name of the last claim. A version that knows nothing of it, and counted, has left another claim there.
    local untouched = nothing_known and state_id == '' and (not had[4] or had[5] == had[1])
    if not had[4] and nothing_known then call('DEL', prefix .. KEY_INVENTORY, prefix .. KEY_REPLAYED) end
    call('HDEL', key, 'phase', 'since', 'busy', 'untouched')
    if untouched then call('HSET', key, 'untouched', id) end
    call('HSET', key, 'id', id, 'server', server, 'begun', had[4] or format('%d', now))
elseif not is_rebuilding(id) then
    return { 0, 0, 0 }
end
if ARGV[5] == 'leave' then
    call('HSET', key, 'ends', '0')
    return { 0, 0, 0 }
end
if ARGV[5] == 'merge' then call('HSET', key, 'phase', 'merging', 'since', ARGV[6]) end
call('HSET', key, 'ends', format('%d', now + tonumber(ARGV[4])))
write_clock()
local begun, untouched = unpack(call('HMGET', key, 'begun', 'untouched'))
return { tonumber(begun), tonumber(whole_until), untouched == id and 1 or 0 }
