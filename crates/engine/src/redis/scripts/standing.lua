-- Whether the state is whole.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server.
-- Reply {'ready', id of the state, since when nodes bring what they acknowledged in another (may be empty)}; or {'lost', up
--   to when it is whole (0: nothing is known), id of the rebuild that nodes bring to (may be empty), since when, id of the
--   state that it was (may be empty)}.
local rebuild = call('HMGET', prefix .. KEY_REBUILD, 'id', 'server', 'phase', 'since')
local since = rebuild[4] or ''
if not lost then return { 'ready', state_id, since } end
local merging = rebuild[3] == 'merging' and rebuild[2] == server
return { 'lost', tonumber(whole_until), merging and rebuild[1] or '', since, state_id }
