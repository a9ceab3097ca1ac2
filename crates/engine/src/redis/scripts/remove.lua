-- Forgets numbers, their use included.
--
-- KEYS  1 clock, 2 pools.
-- ARGV  1 prefix, 2 now and server, then numbers (15 digits each).
-- Reply how many there were.
local removed = 0
for from = 3, #ARGV do
    local n = number_of(ARGV[from])
    if n then
        displace(n)
        call('DEL', NUMBERS .. n.digits)
        removed = removed + 1
    end
end
write_clock()
return removed
