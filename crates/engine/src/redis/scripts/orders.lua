-- Where numbers stand: in one order for each group of a pool, by the instant from which each is free. Goes in front of each
-- script, behind number.lua.
--
-- A group is the numbers of one area code, and is called by it. Numbers whose own digits begin otherwise (an area code was
-- chosen for them, or they have none: 0) are groups of their own, called by the area code behind a `!`.
--
-- The orders of heads, the pool's (`all`) and one for each region, have groups by an instant before which none of their
-- numbers is free. Picks make a group's numbers free later and leave it there; who reads an order of heads puts it right
-- as far as it reads. So they stay short, however many numbers there are, and most picks do not touch them.
--
-- Of numbers that are free from the same instant on, the one with the least digits is first. In an order of heads groups of
-- the same instant stand by their names, which is the same but for those with a `!`: they come first, and are compared.

local ODD = 33 -- the byte `!`

local function is_odd(group)
    return byte(group) == ODD
end

-- Which odd groups a pool has, or had.
local function odd_groups(pool)
    if not pool.odd then
        pool.odd = {}
        for _, group in ipairs(call('SMEMBERS', pool.order .. 'odd')) do pool.odd[group] = true end
    end
    return pool.odd
end

local function know_odd(pool, group)
    if odd_groups(pool)[group] then return end
    call('SADD', pool.order .. 'odd', group)
    pool.odd[group] = true
end

-- Puts a number into its place in its pool's orders, or takes it out where it is never free.
local function place(n, pool)
    local at, group = availability(n, pool), n.group
    if not at then return call('ZREM', pool.order .. group, n.digits) end
    if is_odd(group) then know_odd(pool, group) end
    at = format('%d', at)
    call('ZADD', pool.order .. group, at, n.digits)
    call('ZADD', pool.order .. 'all', 'LT', at, group)
    if n.region ~= NO_REGION then call('ZADD', pool.order .. n.region, 'LT', at, group) end
end

-- Takes a number out of the order that it says it is in.
local function displace(n)
    call('ZREM', ORDERS .. n.pool .. ':' .. n.group, n.digits)
end

local function before(at, digits, other_at, other)
    return not other or at < other_at or (at == other_at and digits < other)
end

-- The first of a group: its digits and its instant.
local function first_of(pool, group)
    local first = call('ZRANGE', pool.order .. group, '0', '0', 'WITHSCORES')
    return first[1], tonumber(first[2])
end

-- The first of a group but `except`.
local function first_but(pool, group, except)
    local digits, at = first_of(pool, group)
    if digits ~= except or not digits then return digits, at end
    local second = call('ZRANGE', pool.order .. group, '1', '1', 'WITHSCORES')
    return second[1], tonumber(second[2])
end

-- The first number of an area code but `except`, with its group.
local function first_of_area(pool, area, except)
    local digits, at = first_but(pool, area, except)
    local odd = '!' .. area
    if not odd_groups(pool)[odd] then return digits, at, area end
    local other, other_at = first_but(pool, odd, except)
    if other and before(other_at, other, at, digits) then return other, other_at, odd end
    return digits, at, area
end

-- The first number of all groups in an order of heads but `except`, with its group.
local function first_of_heads(pool, heads, except)
    local digits, at, group, place = nil, nil, nil, 0
    while true do
        local entry = call('ZRANGE', heads, place, place, 'WITHSCORES')
        local head, bound = entry[1], tonumber(entry[2])
        if not head or (at and bound > at) then return digits, at, group end
        local first, first_at = first_of(pool, head)
        if not first then
            call('ZREM', heads, head)
        elseif first_at > bound then
            call('ZADD', heads, format('%d', first_at), head)
        else
            if first == except then first, first_at = first_but(pool, head, except) end
            if first and before(first_at, first, at, digits) then digits, at, group = first, first_at, head end
            -- Those behind it are free later, or have greater digits.
            if first and first_at == bound and not is_odd(head) then return digits, at, group end
            place = place + 1
        end
    end
end
