-- What time it is, and whether the state is whole. Goes in front of each script, behind the names of the keys (keys.rs).
--
-- ARGV  1 prefix, 2 an instant in milliseconds (empty: the server's TIME), a space, the run of the server (its `run_id`).

local prefix = ARGV[1]
local given_now, server = string.match(ARGV[2], '^(%d*) (%x*)$')

-- The clock: the latest instant any script was given, the server's own time then, and a counter that tells apart
-- allocations of one millisecond. Behind them: the run of the server that holds the whole state, and, while another run holds
-- what may be less than that, up to when it is whole; then which state it is; last, how many events joined its journal.
local clock_key = prefix .. KEY_CLOCK
local clock_was = redis.call('GET', clock_key) or ''
local clock_now, clock_wall, salt, whole_in, whole_until, state_id, told =
    string.match(clock_was, '^(%d+) (%d+) (%d+) (%x*) (%d*) (%x*) (%d+)$')
state_id = state_id or ''
clock_now, clock_wall, salt = tonumber(clock_now or 0), tonumber(clock_wall or 0), tonumber(salt or 0)
told = tonumber(told or 0)

-- What another run of a server left, or nobody, may lack what was acknowledged since: nothing is handed out from it, nor
-- from what is on its way to be whole again, whoever has it by now.
whole_until = whole_until or ''
local lost = server == '' or whole_in ~= server or whole_until ~= ''
if lost and whole_until == '' then whole_until = string.format('%d', clock_now) end

-- An instant given is followed when it is later. With none, the server's TIME is; when that was set back, time goes on at
-- half its speed until it has caught up: it never goes back, and never stands still.
local now
-- The server's own time, whatever it was told, and how much slower ours goes: keys expire by it.
local time = redis.call('TIME')
local wall_now, slower = time[1] * 1000 + math.floor(time[2] / 1000), 1
if given_now == '' then
    local wall = wall_now
    -- Where nothing was asked for long, it may be past `clock_now` and still behind where half the speed has led by now.
    local half = math.floor(math.max(0, wall - clock_wall) / 2)
    now = wall
    if wall < clock_now + half then
        now = clock_now + half
        wall = math.min(wall, clock_wall) + 2 * half
        slower = 2
    end
    clock_wall = wall
else
    now = math.max(clock_now, tonumber(given_now))
    clock_wall = now
end

local function write_clock()
    local clock = string.format(
        '%d %d %d %s %s %s %d', now, clock_wall, salt, whole_in or '', whole_until, state_id, told)
    if clock ~= clock_was then redis.call('SET', clock_key, clock) end
end

-- Whether the rebuild with this id still goes on: nobody took it over, and it is the same run of the server.
local function is_rebuilding(id)
    if not lost then return false end
    local rebuild = redis.call('HMGET', prefix .. KEY_REBUILD, 'id', 'server')
    return rebuild[1] == id and rebuild[2] == server
end

-- The state is not declared whole while nodes bring something; a node that brings in steps is not forgotten between two.
local BUSY_MS = 200
local function note_busy()
    redis.call('HSET', prefix .. KEY_REBUILD, 'busy', string.format('%d', wall_now + BUSY_MS))
end

