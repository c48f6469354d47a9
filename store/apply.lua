-- SPDX-License-Identifier: Apache-2.0
-- Joins a batch of evidence into the facts of one account and Region, atomically.
--
-- A call's evidence is a string of bytes (store/evidence.h). What Redis holds of the call and what arrives
-- are joined part by part (store/calls.lua), so that order, repetition and grouping make no difference.
-- The sums of a cell (calls and exact tokens by caller and minute) follow the calls exactly: what a call
-- said before is taken off, what it says now is added. Of two values of a metric the one of the better
-- source stays, then the one with the larger sum, the larger SampleCount, the larger one of two calls. Every
-- hour that changed gets a new version and stays in `due` until it is computed.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    window, keep, delay (ms), lookback (minutes), how many keep their names on a day (sessions of a
--         role, users of an account, models, keys and values of labels), reopen, retention (ms); how many
--         shards there are (store/shards.h): of more than one, the calls of the sections are counted here and
--         sent to the shards; "~N": this is one of N shards, which gets nothing but calls and their names;
--         "due": this is the account and Region, and what follows are no sections but hours; then
--         sections: bucket, other bucket or "" or, to a shard, "closed", "1": it may be reopened, counts of
--         calls, metrics, names, sessions, candidates, tellings, runs of observed minutes;
--         the ids of the calls, each once, in one text; their runs in another (1 byte: length of the
--         evidence; the evidence; 2 bytes: how many of the calls have it, in their order; of none: it is the
--         pair whose calls follow, in the short form without its number); the sums of all
--         of them (store/call_sums.h), or ""; metrics (model, minute, token kind or token kind with tiers,
--         rank, sum, samples, larger); names (id, text, the model whose figures contain it or ""); sessions;
--         candidates for a name of their own (group, name, minute); tellings (model, minute, digest,
--         value); runs of minutes of which there are records (signal, first minute of the day, how many: at
--         most OBSERVED_RUN); or the number of a shard, how many times it has promoted hours, and those that
--         are due there: "hour:model", "1": it has facts there, "0": it is next to one that has changed
-- returns  calls new, calls known, metrics, records late, and of each section a digit, 0: it is late, 1: it
--         is not, 2: nor is it, but the other bucket takes no more records; or one element, how many shards
--         there are, if that is another number: nothing was done. Of promoted hours, how many times there
--         were some of that shard; "" if there were fewer than it says: nothing was done. BUSY: a bucket to
--         be reopened is packed

local p = KEYS[1]
local window, keep, delay = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local lookback = tonumber(ARGV[4])
local sessions_max, users_max, models_max = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local label_keys_max, label_values_max = tonumber(ARGV[8]), tonumber(ARGV[9])
local reopen = tonumber(ARGV[10])
local retention = tonumber(ARGV[11])
local shards = ARGV[12]
local in_shard = sub(shards, 1, 1) == '~'
local FIRST_SECTION = 13 -- argument
local now = now_ms()

-- The moment (ms) until which records that end by then are waited for: the window begins when what it is
-- for has ended. Of what has ended before it was first seen, a backfill, it begins then.
local function end_of_window(ends) return math.max(now, ends) + window end

-- When a bucket closes; opens the bucket if it is new. What it is for ends with the last record of its calls,
-- which may lie beyond its edge: records there are joined only as long as it is open (apply_calls).
local expiries = {}
local function expiry(bucket)
  local at = expiries[bucket]
  if not at then
    at = tonumber(call('ZSCORE', p .. KEY.OPEN, bucket))
    if not at then
      at = end_of_window(((bucket + 1) * BUCKET_HOURS + CALL_HOURS_MAX) * MS_PER_HOUR)
      call('ZADD', p .. KEY.OPEN, at, bucket)
      if reopen > 0 then
        call('ZADD', p .. KEY.REOPEN, at + reopen, bucket)
        call('ZADD', p .. KEY.PACK, at, bucket)
      end
    end
    expiries[bucket] = at
  end
  return at
end

-- Until when the facts of a bucket are kept. That it was noted when the bucket was opened says that they are:
-- earlier programs let the calls go when it closed.
local lifetimes = {}
local function lifetime(bucket)
  local till = lifetimes[bucket]
  if not till then
    till = math.max(expiry(bucket), tonumber(call('ZSCORE', p .. KEY.REOPEN, bucket)) or 0)
    lifetimes[bucket] = till
  end
  return till
end

local function is_packed(bucket)
  return bucket ~= '' and call('EXISTS', p .. KEY.PACKED .. bucket) == 1
end

-- What is packed has closed, though the clock of another Redis, after a failover, may say that it has not.
local function takes_records(bucket, reopening)
  if reopening then return now < lifetime(bucket) end
  return now < expiry(bucket) and not is_packed(bucket)
end

local sums = {} -- what this batch changes (count_call)
local new, known, late, metrics = 0, 0, 0, 0

-- Calls of a closed bucket are packed again if they were (unpack.lua), and in a while if it had none.
local function write_calls(bucket, fields)
  if #fields == 0 then return end
  local key = p .. KEY.CALLS .. bucket
  set_fields(key, fields, 1)
  call('PEXPIREAT', key, lifetime(bucket))
  if now >= expiry(bucket) then call('ZADD', p .. KEY.PACK, 'NX', now + window, bucket) end
end

-- Telemetry whose call has not come: how many there are of each bucket.
local function count_unjoined(bucket, n)
  if n == 0 then return end
  local left = call('HINCRBY', p .. KEY.TELEMETRY, bucket, n)
  if left <= 0 then call('HDEL', p .. KEY.TELEMETRY, bucket) end
end

local names = {} -- keys of the names of the section's calls

local function text_of(id)
  for _, key in ipairs(names) do
    local text = call('HGET', key, id)
    if text then return text end
  end
  return ''
end

-- Whether the name of one id is bytewise less than that of another. Only records of one call that contradict
-- each other ask.
local function less_name(a, b)
  local x, y = text_of(a), text_of(b)
  if x == y then return less(a, b) end
  return less(x, y)
end

-- A call that is known already: what it said before is taken off the sums, what is known of it now is added.
local function join_call(bucket, id, value, ev, out)
  local old = short.full(p, bucket, value)
  local damaged = not (old and is_evidence(old))
  if not damaged and short.is_lost(old) then
    known = known + 1
    return
  end
  local waited = not damaged and is_unjoined(old)
  if waited and not is_unjoined(ev) then new = new + 1 else known = known + 1 end
  if old == ev then return end
  local joined = damaged and ev or join_evidence(old, ev, less_name)
  if joined == old then return end
  count_unjoined(bucket, (is_unjoined(joined) and 1 or 0) - (waited and 1 or 0))
  if not damaged then count_call(sums, old, -1) end
  count_call(sums, joined, 1)
  out[#out + 1] = id
  out[#out + 1] = short.shorten(p, bucket, joined)
end

-- Records of one call may lie on both sides of a bucket's edge. Once the bucket beyond it is closed its
-- calls are packed or forgotten, so a call that is not known here may have been counted there.
local function is_closed(bucket, reopening)
  return call('ZSCORE', p .. KEY.OPEN, bucket) and not takes_records(bucket, reopening)
end

local function count_late(bucket, n)
  late = late + n
  add_to(p .. KEY.LATE, bucket, n)
end

-- Calls that are met for the first time, all with the same evidence.
local function count_fresh(bucket, value, n)
  if n == 0 then return end
  local ev = short.full(p, bucket, value)
  if is_unjoined(ev) then
    count_unjoined(bucket, n)
  else
    new = new + n
    count_call(sums, ev, n)
  end
end

-- `n` ids from text[at] on.
local function read_ids(text, at, n)
  local ids = {struct.unpack(string.rep('c' .. EVIDENCE_ID, n), text, at)}
  ids[n + 1] = nil -- where it ended
  return ids
end

-- `n` calls that are met for the first time, and their sums.
local function count_all(bucket, text, n)
  local unjoined = add_sums_of(sums, text)
  new = new + n - unjoined
  count_unjoined(bucket, unjoined)
end

-- Calls whose ids are in ARGV[at], their runs in ARGV[at + 1], the sums of all in ARGV[at + 2]. Most are new:
-- what one of these takes here is much of what a call takes Redis.
local function apply_calls(bucket, other, reopening, at, n)
  short.begin(p, bucket, lifetime(bucket))
  local here = p .. KEY.CALLS .. bucket
  local there = tonumber(other) and p .. KEY.CALLS .. other
  local shut, missed = other == 'closed' or (there and is_closed(other, reopening)), 0
  local look = there and not shut and call('EXISTS', there) == 1
  local mine, joined, theirs, width = {}, {}, {}, 0
  local runs, run, left = ARGV[at + 1], 1, 0
  local pair, number -- of the short forms
  local ev, whole -- of a run, as it is kept; the evidence itself if some call asked for it
  local fresh, fresh_of, nruns = {}, {}, 0 -- evidence, and how many calls with it are new
  for first = 0, n - 1, CHUNK do
    local size, done = math.min(CHUNK, n - first), 0
    local ids = read_ids(ARGV[at], first * EVIDENCE_ID + 1, size)
    local held = call('HMGET', here, unpack(ids))
    local far = look and call('HMGET', there, unpack(ids))
    while done < size do
      while left == 0 do
        ev, left, run = struct.unpack('>Bc0H', runs, run)
        whole = nil
        if left == 0 then
          pair, number = ev, short.number_of(p, bucket, ev)
        elseif #ev < EVIDENCE_HEAD then
          ev = number and number .. ev or short.expand(bucket, pair, ev)
        end
      end
      local last, begun = math.min(done + left, size), width
      for i = done + 1, last do
        local old = held[i]
        if old == ev then
          known = known + 1
        elseif old or (far and far[i]) then
          whole = whole or short.full(p, bucket, ev)
          if old then
            join_call(bucket, ids[i], old, whole, joined)
          else
            join_call(other, ids[i], far[i], whole, theirs)
          end
        elseif shut then
          missed = missed + 1
        else
          mine[width + 1], mine[width + 2] = ids[i], ev
          width = width + 2
        end
      end
      nruns = nruns + 1
      fresh[nruns], fresh_of[nruns] = ev, (width - begun) / 2
      left, done = left - (last - done), last
    end
  end
  if width == 2 * n and ARGV[at + 2] ~= '' then
    count_all(bucket, ARGV[at + 2], n)
  else
    for k = 1, nruns do count_fresh(bucket, fresh[k], fresh_of[k]) end
  end
  write_calls(bucket, mine)
  write_calls(bucket, joined)
  write_calls(other, theirs)
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
    local cells = p .. KEY.CELLS .. hour .. ':' .. name
    g = {hour = hour, name = name, cells = cells, first = 60, last = -1, fields = {}, deltas = {}}
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

-- Compares numbers by the first that differs.
local function is_as_large(a, b)
  for i = 1, #a do
    if a[i] ~= b[i] then return a[i] > b[i] end
  end
  return true
end

local function apply_metric(i)
  local model, minute, kind = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local rank, sum = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local samples, larger = tonumber(ARGV[i + 5]), tonumber(ARGV[i + 6])
  local g = group(model, minute)
  local field = char(minute % 60) .. 'm' .. kind
  local old = call('HGET', g.cells, field)
  metrics = metrics + 1
  if old then
    local r, s, n, l = string.match(old, '^(%d+) (%d+) (%d+) ?(%d*)$')
    r, s, n, l = tonumber(r), tonumber(s), tonumber(n), tonumber(l) or 0
    if r and is_as_large({r, s, n, l}, {rank, sum, samples, larger}) then return end
  end
  local value = rank .. ' ' .. ARGV[i + 4] .. ' ' .. ARGV[i + 5]
  call('HSET', g.cells, field, larger > 0 and value .. ' ' .. ARGV[i + 6] or value)
  touch(g, minute)
end

-- What a caller says of a call without its request id. Under one name the bytewise larger value stays.
local function apply_telling(i)
  local minute, value = tonumber(ARGV[i + 1]), ARGV[i + 3]
  local g = group(ARGV[i], minute)
  local field = char(minute % 60) .. 't' .. ARGV[i + 2]
  local old = call('HGET', g.cells, field)
  if old and not less(old, value) then return end
  call('HSET', g.cells, field, value)
  touch(g, minute)
  g.told = true
end

-- An hour is to be computed again without a change of its own: one next to it changed, and it uses the
-- edge of that; or a name in its figures did. Whether it has facts, a shard does not know.
local function touch_hour(hour, name)
  touch_cells(p, hour .. ':' .. name, 'v', now + delay)
  if in_shard then mark_due(p, hour .. ':' .. name, now + delay) end
end

-- Of two texts under one id the bytewise larger one stays if they are a model's further names. Any other id
-- is made of its text (store/name_id.h), so these would be two callers or two models: neither name stays.
local function set_name(bucket, key, id, text, model)
  local further = model ~= ''
  if call('HSETNX', key, id, text) == 0 then
    local old = call('HGET', key, id)
    if old == text or old == NAME_AMBIGUOUS or (further and not less(old, text)) then return end
    call('HSET', key, id, further and text or NAME_AMBIGUOUS)
    if not further then return touch_around(p, bucket, now + delay, {}) end
  end
  if not further then return end
  local first, last = hours_around(bucket)
  for hour = first, last do touch_hour(hour, hex(model)) end -- figures contain the name
end

local function set_names(bucket, at, n, expire)
  local key = p .. KEY.NAMES .. bucket
  for i = at, at + 3 * (n - 1), 3 do set_name(bucket, key, ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
  if n > 0 then call('PEXPIREAT', key, expire) end
end

local displaced = {} -- by the cardinality of names, below
local keep_name, mark_displaced
do -- what only these use: a script has 200 locals at most

local function names_max(group)
  if group == CARDINALITY_MODELS then return models_max end
  local blank = string.find(group, ' ', 1, true) -- names have none
  if blank then
    return sub(group, blank) == CARDINALITY_LABEL_KEYS and label_keys_max or label_values_max
  end
  return string.find(group, CARDINALITY_SESSIONS, 1, true) and sessions_max or users_max
end

local function keep_and_expire(day, key)
  call('PEXPIREAT', key, end_of_window((day + 1) * 24 * MS_PER_HOUR) + keep + reopen)
end

-- The members of a group that keep their names are those that called first on that day, as many as may; of
-- equal minutes the bytewise smaller name. Calls that cost nothing come after all others
-- (CARDINALITY_FREE). So which they are depends on what was recorded and not on when it came. As one member
-- takes the place of another, both may have figures in any hour of the day: the one was displaced itself
-- before, or had only calls that cost nothing. As a group exceeds its limit by a new name, that has figures
-- in the hour of its record or, should another record have moved that call, an hour before. `displaced`
-- holds the earliest of these hours by day. The first hours of a day may also show callers whose record is
-- of the day before. As a group exceeds its limit, these lose their names without having been members.
local prolonged = {}

-- Every record of a day makes its group's keys last longer.
local function prolong(day, key, group)
  if prolonged[key] then return end
  prolonged[key] = true
  keep_and_expire(day, key)
  local overflowed = p .. KEY.OVERFLOWED .. day
  if call('SISMEMBER', overflowed, group) == 1 then keep_and_expire(day, overflowed) end
end

-- Returns whether it is the first of its group.
local function note_overflow(day, group, name)
  local overflowed, overflow = p .. KEY.OVERFLOWED .. day, p .. KEY.OVERFLOW .. day .. ':' .. group
  local first = call('SADD', overflowed, group) == 1
  keep_and_expire(day, overflowed)
  call('PFADD', overflow, name)
  keep_and_expire(day, overflow)
  return first
end

function keep_name(day, group, name, minute)
  local key = p .. KEY.KEPT .. day .. ':' .. group
  local changed = call('ZADD', key, 'LT', 'CH', minute, name)
  prolong(day, key, group)
  if changed == 0 then return end
  while call('ZCARD', key) > names_max(group) do
    local last = call('ZPOPMAX', key)[1]
    local first = note_overflow(day, group, last)
    local hour = (last == name and floor(minute % CARDINALITY_FREE / 60) or day * 24) - CALL_HOURS_MAX
    if (first or last ~= name) and hour < (displaced[day] or hour + 1) then displaced[day] = hour end
  end
end

-- The hours before and after the day use the calls at its edges, under the labels that they keep on it.
function mark_displaced(day, from)
  local early = day * BUCKETS_A_DAY * BUCKET_HOURS + CALL_HOURS_MAX -- with the hour that looks back at them
  local first, last = day * 24, day * 24 + 23
  for bucket = day * BUCKETS_A_DAY, (day + 1) * BUCKETS_A_DAY - 1 do
    for _, member in ipairs(call('SMEMBERS', p .. KEY.MODEL_HOURS .. bucket)) do
      local hour, name = parse_model_hour(member)
      if hour and (hour >= from or hour <= early) then
        touch_hour(hour, name)
        if hour == first then touch_hour(hour - 1, name) end
        if hour == last then touch_hour(hour + 1, name) end
      end
    end
  end
end

end

-- Adds the sums `old`, as Redis has them, to `d`. Returns how many there are up to the last that is not zero.
local function add_old(d, old)
  local k, width = 1, SUMS
  local sixths = old and string.match(old, '^(%d+)/')
  if sixths then
    d[SIXTHS] = d[SIXTHS] + tonumber(sixths)
    old = sub(old, #sixths + 2)
  end
  for digits in string.gmatch(old or '', '%d+') do
    if k == SIXTHS then k = k + 1 end
    if k <= SUMS then d[k] = d[k] + tonumber(digits) end
    k = k + 1
  end
  while width > 0 and d[width] == 0 do width = width - 1 end
  return width
end

local function sums_text(d, width)
  if width < SIXTHS then return format('%d' .. string.rep(' %d', width - 1), unpack(d, 1, width)) end
  local form = '%d %d %d' .. string.rep(' %d', width - SIXTHS)
  local text = format(form, d[1], d[2], d[3], unpack(d, SIXTHS + 1, width))
  return d[SIXTHS] > 0 and format('%d/', d[SIXTHS]) .. text or text
end

-- Redis searches a small hash from its beginning, by default until it has 512 fields. An hour that will have
-- more, if its other minutes are as these, becomes a table at once: by having had a long value. It has its
-- version already, for a hash that becomes empty is gone.
local MANY_FIELDS, SMALL_HASH, LONG_VALUE = 32, 512, 65
local function make_table(g)
  local in_hour = #g.fields * 60 / (g.last - g.first + 1)
  if #g.fields < MANY_FIELDS or in_hour <= SMALL_HASH or call('HLEN', g.cells) > SMALL_HASH then return end
  call('HSET', g.cells, '', string.rep(' ', LONG_VALUE))
  call('HDEL', g.cells, '')
end

local function add_sums(g)
  make_table(g)
  for first = 1, #g.fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #g.fields)
    local held = call('HMGET', g.cells, unpack(g.fields, first, last))
    local put, drop = {}, {}
    for i = first, last do
      local width = add_old(g.deltas[i], held[i - first + 1])
      if width == 0 then
        drop[#drop + 1] = g.fields[i]
      else
        put[#put + 1] = g.fields[i]
        put[#put + 1] = sums_text(g.deltas[i], width)
      end
    end
    if #put > 0 then call('HSET', g.cells, unpack(put)) end
    if #drop > 0 then call('HDEL', g.cells, unpack(drop)) end
  end
end

-- ---- the batch -----------------------------------------------------------------------------------

-- Names, sessions and candidates of a section, from ARGV[at] on.
local function apply_names(bucket, at, nnames, nsessions, ncandidates)
  local expire = lifetime(bucket)
  set_names(tonumber(bucket), at, nnames, expire + keep)
  local first = at + 3 * nnames
  local sessions = p .. KEY.SESSIONS .. bucket
  for i = first, first + nsessions - 1 do call('SADD', sessions, ARGV[i]) end
  if nsessions > 0 then call('PEXPIREAT', sessions, expire) end
  first = first + nsessions
  for i = first, first + 3 * (ncandidates - 1), 3 do
    keep_name(floor(bucket / BUCKETS_A_DAY), ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]))
  end
end

-- Sets the bits of minutes, from ARGV[at] on. A bit is set once and for all, so order and repetition make no
-- difference.
local function note_observed(bucket, at, nruns)
  local day, keys = floor(bucket / BUCKETS_A_DAY), {}
  for i = at, at + 3 * (nruns - 1), 3 do
    local key, width = p .. KEY.OBSERVED .. day .. ':' .. ARGV[i], tonumber(ARGV[i + 2])
    call('BITFIELD', key, 'SET', 'u' .. width, ARGV[i + 1], format('%.0f', 2 ^ width - 1))
    keys[key] = true
  end
  for key in pairs(keys) do
    call('PEXPIREAT', key, format('%.0f', (day + 1) * 24 * MS_PER_HOUR + retention))
  end
end

-- The section at ARGV[at]: whether its calls cannot be joined yet; and where the next one begins.
local function look_at_section(at)
  local nmetrics, nnames, nsessions = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  local ncandidates, ntellings = tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8])
  local nobserved = tonumber(ARGV[at + 9])
  local busy = ARGV[at + 2] == '1' and (is_packed(ARGV[at]) or is_packed(ARGV[at + 1]))
  return busy, at + 13 + 7 * nmetrics + 3 * nnames + nsessions + 3 * ncandidates +
    4 * ntellings + 3 * nobserved
end

-- The section at ARGV[at]. Returns what becomes of it.
local function apply_section(at)
  local bucket, other, reopening = ARGV[at], ARGV[at + 1], ARGV[at + 2] == '1'
  local ncalls, nmetrics, nnames = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local nsessions, ncandidates = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
  local ntellings, nobserved = tonumber(ARGV[at + 8]), tonumber(ARGV[at + 9])
  local calls = at + 10
  local first_metric = calls + 3
  local first_name = first_metric + 7 * nmetrics
  local first_telling = first_name + 3 * nnames + nsessions + 3 * ncandidates
  if takes_records(bucket, reopening) then
    apply_names(bucket, first_name, nnames, nsessions, ncandidates) -- joining calls looks at them
    names = {p .. KEY.NAMES .. bucket, other ~= '' and p .. KEY.NAMES .. other or nil}
    if ARGV[calls] ~= '' then apply_calls(bucket, other, reopening, calls, ncalls) end
    for i = first_metric, first_name - 7, 7 do apply_metric(i) end
    for i = first_telling, first_telling + 4 * (ntellings - 1), 4 do apply_telling(i) end
    note_observed(bucket, first_telling + 4 * ntellings, nobserved)
    local spread = shards ~= '1' and not in_shard and other ~= ''
    return spread and is_closed(other, reopening) and '2' or '1'
  end
  count_late(bucket, ncalls + nmetrics + ntellings)
  return '0'
end

-- Sorts the sums by hour and model.
local function group_sums()
  for key, d in pairs(sums) do
    local k = 1
    while d[k] == 0 do k = k + 1 end
    if k <= SUMS then -- something changed
      local minute = uint32(key, TIME) / EVIDENCE_SIXTHS
      local g = group(sub(key, 1, EVIDENCE_AT_CALLER), minute)
      local caller, class = sub(key, EVIDENCE_AT_CALLER + 1, WHO), sub(key, EVIDENCE_AT_FLAGS + 1)
      g.fields[#g.fields + 1] = char(touch(g, minute)) .. caller .. class
      g.told = g.told or #class > 1 -- perhaps with the second of a call
      g.deltas[#g.deltas + 1] = d
    end
  end
end

local function write_group(g)
  add_to(g.cells, 'v', 1)
  add_sums(g)
  local bucket = floor(g.hour / BUCKET_HOURS)
  local expire = lifetime(bucket)
  call('PEXPIREAT', g.cells, expire + keep)
  call('SADD', p .. KEY.MODEL_HOURS .. bucket, g.hour .. ':' .. g.name)
  call('PEXPIREAT', p .. KEY.MODEL_HOURS .. bucket, expire)
  mark_due(p, g.hour .. ':' .. g.name, now + delay)
  -- which call telemetry is of depends on those of the hours around it
  if g.told or g.first < lookback then touch_hour(g.hour - 1, g.name) end
  if g.told or g.last >= 60 - lookback then touch_hour(g.hour + 1, g.name) end
end

-- Hours whose calls have changed in a shard, and hours next to such, which may have no facts. As an hour
-- becomes known here, those next to it see its calls. Of a Redis that has lost what was promoted before the
-- shard knows more than is left: then all of its hours have to come again.
if shards == 'due' then
  local shard, before = ARGV[FIRST_SECTION], tonumber(ARGV[FIRST_SECTION + 1])
  if (tonumber(call('HGET', p .. KEY.PROMOTED, shard)) or 0) < before then return '' end
  for i = FIRST_SECTION + 2, #ARGV, 2 do
    local hour, name = parse_model_hour(ARGV[i])
    local cells = p .. KEY.CELLS .. ARGV[i]
    local g = {hour = hour, name = name, cells = cells, fields = {}, first = 60, last = -1}
    if ARGV[i + 1] == '0' then
      touch_hour(hour, name)
    else
      if call('EXISTS', cells) == 0 then
        touch_hour(hour - 1, name)
        touch_hour(hour + 1, name)
      end
      write_group(g)
    end
  end
  return tostring(call('HINCRBY', p .. KEY.PROMOTED, shard, 1))
end

-- An account and Region without any facts gets the number of shards that the worker asks for. A shard notes
-- the number, too: should the account and Region be lost, it takes no calls that are spread otherwise.
do
  local held = call('GET', p .. KEY.SHARDS)
  if not held and shards ~= '1' and call('EXISTS', p .. KEY.OPEN, p .. KEY.DUE) == 0 then
    held = shards
    call('SET', p .. KEY.SHARDS, held)
  end
  held = held or '1'
  if held ~= shards then return {held} end
end

local sections, at, busy = {}, FIRST_SECTION, false
while at <= #ARGV do
  sections[#sections + 1] = at
  busy, at = look_at_section(at)
  if busy then return redis.error_reply('BUSY calls of a bucket to be reopened are packed') end
end
for i, first in ipairs(sections) do sections[i] = apply_section(first) end
group_sums()
for _, g in pairs(groups) do
  if g.last >= 0 then write_group(g) end
end
for day, from in pairs(displaced) do mark_displaced(day, from) end
return {tostring(new), tostring(known), tostring(metrics), tostring(late), table.concat(sections)}
