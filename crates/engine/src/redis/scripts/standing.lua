-- Whether the state is whole.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server.
-- Reply {'ready'}; or {'lost', up to when it is whole (0: nothing is known), how far its rebuilding is (may be empty)}.
if not lost then return { 'ready' } end
return { 'lost', tonumber(whole_until), redis.call('HGET', prefix .. KEY_REBUILD, 'phase') or '' }
