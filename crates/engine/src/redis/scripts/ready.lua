-- The state is whole in this run of the server.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server.
-- Reply 1.
whole_in, whole_until = server, ''
redis.call('DEL', prefix .. KEY_REBUILD)
write_clock()
return 1
