-- Whether anything can be written: memory may be used up, replicas may be missing, or a right.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server.
-- Reply 1.
call('SET', prefix .. KEY_PROBE, '1', 'PX', 1000)
return 1
