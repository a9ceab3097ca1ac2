-- Which events this state lacks, of those that a node would bring: what was counted is in the store or in the journal.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of the rebuild, or of the state, that they would be brought to; then of each event its
--   kind and the id of its allocation (17 bytes).
-- Reply {'missing', a byte for each, 1 where it is missing}; or {'superseded'}: it is another rebuild, or another state, by now.
if not is_rebuilding(ARGV[3]) and (lost or state_id ~= ARGV[3]) then return { 'superseded' } end
-- Who asks is about to bring the rest.
if lost then note_busy() end
if not ARGV[4] then return { 'missing', '' } end
local known = call('HMGET', prefix .. KEY_REPLAYED, unpack(ARGV, 4))
for place = 1, #known do known[place] = known[place] and '0' or '1' end
return { 'missing', table.concat(known) }
