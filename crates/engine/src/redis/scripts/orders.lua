-- Where numbers stand: in one order for each group of a pool, by the instant from which each is free. Goes in front of each
-- script, behind look.lua.
--
-- A group is the numbers of one area code, and is called by it. Numbers whose own digits begin otherwise (an area code was
-- chosen for them, or they have none: 0) are groups of their own, called by the area code behind a `!`.
--
-- The orders of heads, the pool's (`all`) and one for each region, have groups by an instant before which none of their
-- numbers is free. Picks make a group's numbers free later and leave it there; who reads an order of heads puts it right
-- as far as it reads. So they stay short, however many numbers there are, and most picks do not touch them.
--
-- Of numbers that are free from the same instant on, the one with the least digits is first. In an order of heads groups of
-- the same instant stand by their names, which is the same for groups whose numbers begin with the name. The others, whose
-- names have a `!`, stand in no order of heads: all their numbers stand once more in an order of their own behind each (`!all`).

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

-- The orders that a number of an odd group stands in.
local function odd_orders(n)
    local names = { n.group, '!all' }
    if n.region ~= NO_REGION then names[3] = '!' .. n.region end
    return names
end

-- Puts a number into its place among the odd ones, or takes it out where it is never free.
local function place_odd(n, orders, at)
    for _, name in ipairs(odd_orders(n)) do
        if at then call('ZADD', orders .. name, at, n.digits) else call('ZREM', orders .. name, n.digits) end
    end
end

-- How low this script put the groups of each order of heads; for scripts that put many numbers and have no other way to heads.
local lowered = nil

-- Puts a group into an order of heads, unless it stands lower there.
local function lower_head(order, group, at, text)
    if lowered then
        local groups = lowered[order]
        if not groups then
            groups = {}
            lowered[order] = groups
        end
        local known = groups[group]
        if known and known <= at then return end
        groups[group] = at
    end
    call('ZADD', order, 'LT', text, group)
end

-- Puts a number into its place in its pool's orders, or takes it out where it is never free.
local function place(n, pool)
    local at, group, orders = availability(n, pool), n.group, pool.order
    local text = at and format('%d', at)
    if is_odd(group) then
        know_odd(pool, group)
        return place_odd(n, orders, text)
    end
    if not at then return call('ZREM', orders .. group, n.digits) end
    call('ZADD', orders .. group, text, n.digits)
    lower_head(orders .. 'all', group, at, text)
    if n.region ~= NO_REGION then lower_head(orders .. n.region, group, at, text) end
end

-- Bears in mind that a number of the pool stands wrong and is to be taken for where it belongs; without `n` for nowhere.
local function bear_in_mind(digits, n, pool)
    local orders, at = pool.order, n and availability(n, pool)
    looks.moved[orders .. digits] = true
    if not at then return end
    if is_odd(n.group) then
        odd_groups(pool)[n.group] = true
        for _, name in ipairs(odd_orders(n)) do place_in_mind(orders .. name, digits, at) end
        return
    end
    place_in_mind(orders .. n.group, digits, at)
    lower_head_in_mind(orders .. 'all', n.group, at)
    if n.region ~= NO_REGION then lower_head_in_mind(orders .. n.region, n.group, at) end
end

-- Moves a number that was first in its group, and is free later now: the orders of heads need not know.
local function move_back(n, pool)
    if is_odd(n.group) then return place(n, pool) end
    call('ZADD', pool.order .. n.group, format('%d', (availability(n, pool))), n.digits)
end

-- Takes a number out of the orders that it says it is in.
local function displace(n)
    local orders = ORDERS .. n.pool .. ':'
    if is_odd(n.group) then return place_odd(n, orders, nil) end
    call('ZREM', orders .. n.group, n.digits)
end

-- The first of a group: its digits and its instant.
local function first_of(pool, group)
    if looks then return first_in_mind(pool, pool.order .. group, nil) end
    local first = call('ZRANGE', pool.order .. group, '0', '0', 'WITHSCORES')
    return first[1], tonumber(first[2])
end

-- The first of a group but `except`.
local function first_but(pool, group, except)
    if looks then return first_in_mind(pool, pool.order .. group, except) end
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

-- The first number of all groups in an order of heads but `except`, with its group; of those whose names say where their
-- numbers stand.
local function first_of_even(pool, heads, except)
    local digits, at, group, place = nil, nil, nil, 0
    while true do
        local head, bound = head_at(heads, place)
        if not head or (at and bound > at) then return digits, at, group end
        local first, first_at = first_of(pool, head)
        if not first then
            drop_head(heads, head)
        elseif first_at > bound then
            set_head(heads, head, first_at)
        else
            -- Those behind it are free later, or have greater digits.
            if first ~= except then
                if digits and before(at, digits, first_at, first) then return digits, at, group end
                return first, first_at, head
            end
            digits, at = first_but(pool, head, except)
            group, place = digits and head, place + 1
        end
    end
end

-- The first number of all groups in the order of heads of that name but `except`, with the order it stands in.
local function first_of_heads(pool, name, except)
    local digits, at, group = first_of_even(pool, pool.order .. name, except)
    if not next(odd_groups(pool)) then return digits, at, group end
    local odd = '!' .. name
    local other, other_at = first_but(pool, odd, except)
    if other and before(other_at, other, at, digits) then return other, other_at, odd end
    return digits, at, group
end
