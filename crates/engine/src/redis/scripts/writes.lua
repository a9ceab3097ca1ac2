-- Whether anything can be written: memory may be used up, replicas may be missing, or a right.
--
-- KEYS  1 clock.
-- ARGV  1 prefix, 2 now and server.
-- Reply the commands that this user may not run, each once or oftener; an error when it refuses whoever asks.
return trial(prefix .. KEY_PROBE)
