-- Declares a whole state lost, as if nothing of it were known: numbers were handed out from another one since.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server, 3 id of the state.
-- Reply 1; 0 when it is another by now, or lost already.
if lost or state_id ~= ARGV[3] then return 0 end
whole_in, whole_until = '', '0'
write_clock()
return 1
