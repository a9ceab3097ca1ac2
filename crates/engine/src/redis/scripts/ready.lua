-- The state is whole in this run of the server.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of the rebuild.
-- Reply 1; 0 while a node brings what it knows; -1 when the rebuild is another's by now.
local key, id = prefix .. KEY_REBUILD, ARGV[3]
if not is_rebuilding(id) then return -1 end
local rebuild = call('HMGET', key, 'busy', 'since')
if rebuild[1] and wall_now < tonumber(rebuild[1]) then return 0 end
whole_in, whole_until, state_id = server, '', id
call('DEL', key)
-- Nodes that were away bring theirs later.
call('HSET', key, 'since', rebuild[2] or '')
write_clock()
return 1
