-- SPDX-License-Identifier: Apache-2.0
-- Joins a batch of evidence into the facts of one account and region, atomically.
--
-- A call's evidence is a string of bytes (store/evidence.h); what Redis holds of the call and what arrives are joined
-- part by part, the better witness winning, so that order, repetition and grouping make no difference. The sums of a cell
-- (calls and exact tokens by caller and minute) follow the calls exactly: what a call said before is taken off, what it
-- says now is put on. Metrics are assigned, the better source and then the larger sum winning. Every hour that changed
-- gets a new version and stands in `due` until somebody has computed it.
--
-- KEYS[1] the common start of all keys, with the hash tag
-- ARGV    window, keep, delay (ms), lookback (minutes), how many keep their names on a day (sessions of a role, users of an
--         account, models), then sections:
--         bucket, other bucket or "", counts of calls, runs, metrics, names, sessions, seats;
--         ids of the calls, each once; runs (evidence, how many of the calls have it, in their order);
--         metrics (model, minute, slot or slot with tiers, rank, sum, samples); names (id, text); sessions;
--         seats (group, name, minute)
-- returns  calls new, calls known, metrics, records late

local p = KEYS[1]
local window, keep, delay = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local lookback, sessions_max, users_max, models_max = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local call, sub, byte, char, format, floor = redis.call, string.sub, string.byte, string.char, string.format, math.floor

local clock = call('TIME')
local now = clock[1] * 1000 + floor(clock[2] / 1000)

local HEAD = 22          -- bytes of evidence before the tokens
local HOURS = 6          -- of a bucket
local BUCKETS = 4        -- of a day
local CHUNK = 1000       -- arguments of one command; Lua's stack bounds it

-- Bytewise a < b; Lua's own < asks the locale.
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = byte(a, i), byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- When the calls of a bucket are forgotten; opens the bucket if it is new. A bucket is closed for good once that passed.
local expiries = {}
local function expiry(bucket)
  local at = expiries[bucket]
  if not at then
    at = tonumber(call('ZSCORE', p .. ':open', bucket))
    if not at then
      at = now + window
      call('ZADD', p .. ':open', at, bucket)
    end
    expiries[bucket] = at
  end
  return at
end

-- In which lane a call goes (estimator/rate_class.h): its tier, and how long its prompt was, as far as its tokens tell.
local LIMITS = {100000, 128000, 200000, 256000, 272000}
local function lane_of(ev, timing, failed)
  local lane = floor(timing / 8) % 8
  if #ev == HEAD then return lane end
  local prompt, told = 0, 0
  for i = HEAD + 1, #ev, 5 do
    local b, b1, b2, b3, b4 = byte(ev, i, i + 4)
    local slot = floor(b / 16)
    if slot == 0 or slot == 2 or slot == 3 then -- input, cache reads, cache writes
      prompt = prompt + ((b1 * 256 + b2) * 256 + b3) * 256 + b4
      told = told + 1
    end
  end
  local whole = told == 3 or failed
  if not whole and prompt <= LIMITS[1] then return lane end
  local band = 1
  while LIMITS[band] and prompt > LIMITS[band] do band = band + 1 end
  return lane + 8 * band + (whole and 0 or 64)
end

-- The sums by model, caller, minute and lane that this batch changes: calls, failed calls, calls known by their start only,
-- then for each token slot the calls that are exact and their tokens.
local sums = {}
local function count(ev, times)
  local flags, timing = byte(ev, 21, 22)
  local failed, key = flags % 2 == 1, sub(ev, 1, 20)
  if timing > 7 or #ev > HEAD then
    local lane = lane_of(ev, timing, failed)
    if lane ~= 0 then key = key .. char(lane) end
  end
  local d = sums[key]
  if not d then
    d = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
    sums[key] = d
  end
  if failed and #ev == HEAD then
    d[2] = d[2] + times
    return
  end
  d[1] = d[1] + times
  if timing % 8 == 1 then d[3] = d[3] + times end
  if failed then -- it got tokens and an error: what it has not got, it has not used
    for k = 4, 14, 2 do d[k] = d[k] + times end
  end
  for i = HEAD + 1, #ev, 5 do
    local b, b1, b2, b3, b4 = byte(ev, i, i + 4)
    local k = 4 + 2 * floor(b / 16)
    if not failed then d[k] = d[k] + times end
    d[k + 1] = d[k + 1] + times * (((b1 * 256 + b2) * 256 + b3) * 256 + b4)
  end
end

local function tokens_of(ev)
  local t = {}
  for i = HEAD + 1, #ev, 5 do t[floor(byte(ev, i) / 16)] = sub(ev, i, i + 4) end
  return t
end

local function join(a, b)
  local fa, xa = byte(a, 21, 22)
  local fb, xb = byte(b, 21, 22)
  local ta, tb = xa % 8, xb % 8
  local who = a
  if fb > fa or (fb == fa and less(sub(a, 1, 16), sub(b, 1, 16))) then who = b end
  local when = a
  if tb > ta or (tb == ta and less(sub(a, 17, 20), sub(b, 17, 20))) then when = b end
  local out = {sub(who, 1, 16), sub(when, 17, 20), sub(who, 21, 21),
               char(math.max(ta, tb) + math.max(xa - ta, xb - tb))}
  local ka, kb = tokens_of(a), tokens_of(b)
  for slot = 0, 5 do
    local x, y = ka[slot], kb[slot]
    if x and y and less(x, y) then x = y end
    out[#out + 1] = x or y
  end
  return table.concat(out)
end

local new, known, late, metrics = 0, 0, 0, 0

local function write_calls(key, fields, expire)
  for i = 1, #fields, CHUNK do
    call('HSET', key, unpack(fields, i, math.min(i + CHUNK - 1, #fields)))
  end
  if #fields > 0 then call('PEXPIREAT', key, expire) end
end

-- A call that is known already: what it said before is taken off the sums, what is known of it now is put on.
local function join_call(id, old, ev, out)
  known = known + 1
  if old == ev then return end
  local joined = join(old, ev)
  if joined == old then return end
  count(old, -1)
  count(joined, 1)
  out[#out + 1] = id
  out[#out + 1] = joined
end

-- Records of one call may lie on both sides of a bucket's edge. Once the bucket beyond it is closed its calls are forgotten, so a
-- call that nobody knows here may have been counted there.
local function is_closed(bucket)
  local at = tonumber(call('ZSCORE', p .. ':open', bucket))
  return at and now >= at
end

local function count_late(bucket, n)
  late = late + n
  call('HINCRBY', p .. ':late', bucket, n)
end

-- Calls whose ids are ARGV[at ..] and whose runs follow them.
local function apply_calls(bucket, other, at, n)
  local here = p .. ':calls:' .. bucket
  local there = other ~= '' and p .. ':calls:' .. other
  local shut, missed = there and is_closed(other), 0
  local mine, theirs, width = {}, {}, 0
  local run, left, fresh = at + n - 2, 0, 0
  local ev
  for first = at, at + n - 1, CHUNK do
    local last = math.min(first + CHUNK - 1, at + n - 1)
    local held = call('HMGET', here, unpack(ARGV, first, last))
    local far = there and call('HMGET', there, unpack(ARGV, first, last))
    for i = first, last do
      if left == 0 then
        if fresh > 0 then count(ev, fresh) end
        run, fresh = run + 2, 0
        ev, left = ARGV[run], tonumber(ARGV[run + 1])
      end
      left = left - 1
      local id, k = ARGV[i], i - first + 1
      if held[k] then
        join_call(id, held[k], ev, mine)
        width = #mine
      elseif far and far[k] then
        join_call(id, far[k], ev, theirs)
      elseif shut then
        missed = missed + 1
      else
        fresh = fresh + 1
        new = new + 1
        mine[width + 1] = id
        mine[width + 2] = ev
        width = width + 2
      end
    end
  end
  if fresh > 0 then count(ev, fresh) end
  write_calls(here, mine, expiry(bucket))
  if #theirs > 0 then write_calls(there, theirs, expiry(other)) end
  if missed > 0 then count_late(bucket, missed) end
end

local function hex(id)
  return (string.gsub(id, '.', function(c) return format('%02x', byte(c)) end))
end

-- What changed, by hour and model: fields to read and change, and which minutes.
local groups = {}
local names_of_models = {}
local function group(model, minute)
  local hour = floor(minute / 60)
  local key = model .. hour
  local g = groups[key]
  if not g then
    local name = names_of_models[model]
    if not name then
      name = hex(model)
      names_of_models[model] = name
    end
    g = {hour = hour, name = name, cells = p .. ':cells:' .. hour .. ':' .. name, first = 60, last = -1, fields = {}, deltas = {}}
    groups[key] = g
  end
  return g
end

local function touch(g, minute)
  local m = minute % 60
  if m < g.first then g.first = m end
  if m > g.last then g.last = m end
  return m
end

local function apply_metric(i)
  local model, minute, slot = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local rank, sum, samples = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5])
  local g = group(model, minute)
  local field = char(minute % 60) .. 'm' .. slot
  local old = call('HGET', g.cells, field)
  metrics = metrics + 1
  if old then
    local r, s, n = string.match(old, '^(%d+) (%d+) (%d+)$')
    r, s, n = tonumber(r), tonumber(s), tonumber(n)
    if r > rank or (r == rank and (s > sum or (s == sum and n >= samples))) then return end
  end
  call('HSET', g.cells, field, rank .. ' ' .. ARGV[i + 4] .. ' ' .. ARGV[i + 5])
  touch(g, minute)
end

local function set_names(key, at, n, expire)
  for i = at, at + 2 * n - 1, 2 do
    local id, text = ARGV[i], ARGV[i + 1]
    if call('HSETNX', key, id, text) == 0 then
      local old = call('HGET', key, id)
      if less(old, text) then call('HSET', key, id, text) end
    end
  end
  if n > 0 then call('PEXPIREAT', key, expire) end
end

local function mark_due(hour, name)
  call('ZADD', p .. ':due', 'LT', now + delay, hour .. ':' .. name)
end

-- An hour that is to be computed anew without a change of its own: one next to it changed, and it sees the edge of that.
local function touch_neighbour(hour, name)
  local cells = p .. ':cells:' .. hour .. ':' .. name
  if call('EXISTS', cells) == 1 then
    call('HINCRBY', cells, 'v', 1)
    mark_due(hour, name)
  end
end

local function seats_of(group)
  if group == 'models' then return models_max end
  return string.find(group, ':assumed-role/', 1, true) and sessions_max or users_max
end

-- Those of a group that keep their names are those that called first on that day, as many as there are seats; among equal
-- minutes the bytewise smaller name. So which they are depends on what was recorded and not on when it came. Who loses a seat
-- has figures under its name, in the hours from its first record on or, should another record have moved that call, an hour
-- before: `displaced` holds the earliest of them by day.
local displaced, prolonged = {}, {}
local function take_seat(day, group, name, minute)
  local key = p .. ':roster:' .. day .. ':' .. group
  local taken = call('ZADD', key, 'LT', 'CH', minute, name)
  if not prolonged[key] then
    prolonged[key] = true
    call('PEXPIRE', key, window + keep)
    if call('SISMEMBER', p .. ':crowded:' .. day, group) == 1 then call('PEXPIRE', p .. ':crowded:' .. day, window + keep) end
  end
  if taken == 0 then return end
  while call('ZCARD', key) > seats_of(group) do
    local last = call('ZPOPMAX', key)
    call('SADD', p .. ':crowded:' .. day, group)
    call('PEXPIRE', p .. ':crowded:' .. day, window + keep)
    call('PFADD', p .. ':folded:' .. day .. ':' .. group, last[1])
    call('PEXPIRE', p .. ':folded:' .. day .. ':' .. group, window + keep)
    local hour = floor(minute / 60) - 1
    if last[1] ~= name and hour < (displaced[day] or hour + 1) then displaced[day] = hour end
  end
end

local function mark_displaced(day, from)
  for bucket = day * BUCKETS, day * BUCKETS + BUCKETS - 1 do
    for _, member in ipairs(call('SMEMBERS', p .. ':groups:' .. bucket)) do
      local hour, name = string.match(member, '^(%d+):(.*)$')
      if tonumber(hour) >= from then touch_neighbour(tonumber(hour), name) end
    end
  end
end

local function add_sums(g)
  for first = 1, #g.fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #g.fields)
    local held = call('HMGET', g.cells, unpack(g.fields, first, last))
    local put, drop = {}, {}
    for i = first, last do
      local d, old, zero = g.deltas[i], held[i - first + 1], true
      if old then
        local k = 1
        for digits in string.gmatch(old, '%d+') do
          d[k] = d[k] + tonumber(digits)
          k = k + 1
        end
      end
      local width = 0
      for k = 1, 15 do if d[k] ~= 0 then width = k end end
      if width == 0 then
        drop[#drop + 1] = g.fields[i]
      else
        for k = 1, width do d[k] = format('%d', d[k]) end
        put[#put + 1] = g.fields[i]
        put[#put + 1] = table.concat(d, ' ', 1, width)
      end
    end
    if #put > 0 then call('HSET', g.cells, unpack(put)) end
    if #drop > 0 then call('HDEL', g.cells, unpack(drop)) end
  end
end

-- ---- the batch ------------------------------------------------------------------------------------------------------

local at = 8
while at <= #ARGV do
  local bucket, other = ARGV[at], ARGV[at + 1]
  local ncalls, nruns, nmetrics = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local nnames, nsessions, nseats = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
  at = at + 8
  local expire = expiry(bucket)
  local open = now < expire
  if open then
    if ncalls > 0 then apply_calls(bucket, other, at, ncalls) end
  else
    count_late(bucket, ncalls + nmetrics)
  end
  at = at + ncalls + 2 * nruns
  if open then
    for i = at, at + 6 * (nmetrics - 1), 6 do apply_metric(i) end
  end
  at = at + 6 * nmetrics
  if open then
    set_names(p .. ':names:' .. bucket, at, nnames, expire + keep)
    local first = at + 2 * nnames
    for i = first, first + nsessions - 1 do call('SADD', p .. ':sessions:' .. bucket, ARGV[i]) end
    if nsessions > 0 then call('PEXPIREAT', p .. ':sessions:' .. bucket, expire) end
    first = first + nsessions
    for i = first, first + 3 * (nseats - 1), 3 do
      take_seat(floor(bucket / BUCKETS), ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]))
    end
  end
  at = at + 2 * nnames + nsessions + 3 * nseats
end

for key, d in pairs(sums) do
  local b1, b2, b3, b4 = byte(key, 17, 20)
  local minute = ((b1 * 256 + b2) * 256 + b3) * 256 + b4
  local changed = false
  for k = 1, 15 do if d[k] ~= 0 then changed = true end end
  if changed then
    local g = group(sub(key, 1, 8), minute)
    g.fields[#g.fields + 1] = char(touch(g, minute)) .. sub(key, 9, 16) .. sub(key, 21)
    g.deltas[#g.deltas + 1] = d
  end
end

for _, g in pairs(groups) do
  if g.last >= 0 then
    add_sums(g)
    call('HINCRBY', g.cells, 'v', 1)
    local bucket = floor(g.hour / HOURS)
    local expire = expiry(bucket)
    call('PEXPIREAT', g.cells, expire + keep)
    call('SADD', p .. ':groups:' .. bucket, g.hour .. ':' .. g.name)
    call('PEXPIREAT', p .. ':groups:' .. bucket, expire)
    mark_due(g.hour, g.name)
    if g.first < lookback then touch_neighbour(g.hour - 1, g.name) end
    if g.last >= 60 - lookback then touch_neighbour(g.hour + 1, g.name) end
  end
end

for day, from in pairs(displaced) do mark_displaced(day, from) end

return {tostring(new), tostring(known), tostring(metrics), tostring(late)}
