-- Whoever only looks changes nothing: what it would put right it bears in mind. Goes in front of each script, behind number.lua.
--
-- Orders of heads are read whole then, and put right in that copy. In an order of numbers those that stand wrong are passed over,
-- and taken for where they belong.

-- Of who looks; nothing for all others. `heads`: the copies by key; `moved`: numbers that stand wrong, each behind its pool's prefix;
-- `placed`: by key of an order, the first two of them that belong there; `begins`: by key, how many of the first are moved.
local looks = nil

local function only_look()
    looks = { heads = {}, moved = {}, placed = {}, begins = {} }
end

local function before(at, digits, other_at, other)
    return not other or at < other_at or (at == other_at and digits < other)
end

local function heads_in_mind(key)
    local heads = looks.heads[key]
    if heads then return heads end
    local all = call('ZRANGE', key, '0', '-1', 'WITHSCORES')
    heads = {}
    for at = 1, #all, 2 do heads[#heads + 1] = { all[at], tonumber(all[at + 1]) } end
    looks.heads[key] = heads
    return heads
end

-- The group at that place of an order of heads, counted from 0, and the instant it stands at.
local function head_at(key, place)
    if looks then
        local head = heads_in_mind(key)[place + 1]
        if head then return head[1], head[2] end
        return nil
    end
    local entry = call('ZRANGE', key, place, place, 'WITHSCORES')
    return entry[1], tonumber(entry[2])
end

local function drop_head(key, group)
    if not looks then return call('ZREM', key, group) end
    local heads = heads_in_mind(key)
    for place, head in ipairs(heads) do
        if head[1] == group then return table.remove(heads, place) end
    end
end

-- Puts a group at that instant.
local function set_head(key, group, at)
    if not looks then return call('ZADD', key, format('%d', at), group) end
    drop_head(key, group)
    local heads, place = heads_in_mind(key), 1
    while heads[place] and before(heads[place][2], heads[place][1], at, group) do place = place + 1 end
    table.insert(heads, place, { group, at })
end

-- The same in mind, unless it stands earlier.
local function lower_head_in_mind(key, group, at)
    for _, head in ipairs(heads_in_mind(key)) do
        if head[1] == group and head[2] <= at then return end
    end
    set_head(key, group, at)
end

-- The first of an order but `except`, with what was borne in mind.
local function first_in_mind(pool, key, except)
    local place, leads, entry = looks.begins[key] or 0, true, nil
    while true do
        entry = call('ZRANGE', key, place, place, 'WITHSCORES')
        local digits = entry[1]
        if digits and looks.moved[pool.order .. digits] then
            if leads then looks.begins[key] = place + 1 end
        elseif digits and digits == except then
            leads = false
        else
            break
        end
        place = place + 1
    end
    local digits, at = entry[1], tonumber(entry[2])
    for _, placed in ipairs(looks.placed[key] or {}) do
        if placed.digits ~= except and before(placed.at, placed.digits, at, digits) then
            digits, at = placed.digits, placed.at
        end
    end
    return digits, at
end

-- Of those that belong into an order the first two are remembered: one of them may be the one that is excepted.
local function place_in_mind(key, digits, at)
    local placed = looks.placed[key] or {}
    looks.placed[key] = placed
    local place = 1
    while placed[place] and before(placed[place].at, placed[place].digits, at, digits) do place = place + 1 end
    table.insert(placed, place, { digits = digits, at = at })
    placed[3] = nil
end
