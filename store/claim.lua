-- SPDX-License-Identifier: Apache-2.0
-- Takes hours to compute. They are due again after the lease, should the process that took them die. Every
-- worker calls this for every account and Region, so it also drops entries of indexes that have expired, and
-- packs the calls of closed buckets, a few each time.
--
-- KEYS[1] the start of all keys of the account and Region, or of a shard of it (store/shards.h)
-- ARGV    "1": also hours not due yet; lease (ms); the most to take; retention (ms); how many shards of the
--         account and Region there are, if all are empty, else "0"; of a shard ""
-- returns  how many are in `due`, "1" if nothing is left of the account and region, or of the shard; how many
--         shards it has, of a shard how many times hours were promoted from it; when the lease ends (ms);
--         then members "hour:model", each followed by when it was due (ms), of a shard by "1" if it has facts
--         there, else "0"

local p = KEYS[1]
local due, open, late = p .. KEY.DUE, p .. KEY.OPEN, p .. KEY.LATE
local telemetry = p .. KEY.TELEMETRY
local retention = tonumber(ARGV[4])
local now = now_ms()
local LOOKED_AT = 100
local PACKED_AT_ONCE = 4 -- times CHUNK calls

-- What is no hour of a model would be claimed for ever: nothing that is computed takes it out.
local members, lease = {}, now + ARGV[2]
local till = ARGV[1] == '1' and '+inf' or now
local found = call('ZRANGEBYSCORE', due, '-inf', till, 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #found, 2 do
  local m = found[i]
  if parse_model_hour(m) then
    members[#members + 1] = m
    members[#members + 1] = ARGV[5] ~= '' and found[i + 1] or tostring(call('EXISTS', p .. KEY.CELLS .. m))
    call('ZADD', due, lease, m)
  else
    call('ZREM', due, m)
  end
end

-- Buckets past the retention, and the counts of what came too late for them, of telemetry without a call, and
-- of lost calls.
local gone = call('ZRANGEBYSCORE', open, '-inf', now - retention, 'LIMIT', 0, LOOKED_AT)
if #gone > 0 then
  call('ZREM', open, unpack(gone))
  call('HDEL', late, unpack(gone))
  call('HDEL', telemetry, unpack(gone))
  call('HDEL', p .. KEY.LOST_CALLS, unpack(gone))
end

local function has_figures(hashes, member)
  for _, hash in ipairs(hashes) do
    if call('EXISTS', hash .. member) == 1 then return true end
  end
  return false
end

-- Hours leave an index when their figures have expired. Old hours whose records were read recently still
-- have figures, so another part of the index is looked at each time.
local function prune(index, hashes)
  local old = floor((now - retention) / 3600000)
  local n = call('ZCOUNT', index, '-inf', old)
  if n == 0 then return end
  local first = n > LOOKED_AT and now % n or 0
  for _, m in ipairs(call('ZRANGEBYSCORE', index, '-inf', old, 'LIMIT', first, LOOKED_AT)) do
    if not has_figures(hashes, m) then call('ZREM', index, m) end
  end
end
prune(p .. KEY.USAGE, {p .. KEY.USAGE .. ':', p .. KEY.USAGE_META})
prune(p .. KEY.ACTUAL, {p .. KEY.ACTUAL .. ':'})

-- A bucket that has closed is packed, a few calls each time.
local reopen, pack = p .. KEY.REOPEN, p .. KEY.PACK
call('ZREMRANGEBYSCORE', reopen, '-inf', now)
local closed = call('ZRANGEBYSCORE', pack, '-inf', now, 'LIMIT', 0, 1)[1]
for _ = 1, closed and PACKED_AT_ONCE or 0 do
  if pack_calls(p, closed) == 0 then
    call('ZREM', pack, closed)
    break
  end
end

local waiting, shards = call('ZCARD', due), call('GET', p .. KEY.SHARDS) or '1'
local empty = waiting == 0 and (ARGV[5] == '' or ARGV[5] == shards) and
  call('EXISTS', open, late, p .. KEY.USAGE, p .. KEY.ACTUAL) == 0
if empty then -- the bill has no figures any more
  call('DEL', reopen, pack, telemetry, p .. KEY.SHARDS, p .. KEY.PROMOTED, p .. KEY.BILLED,
    p .. KEY.ACTUAL_MODELS, p .. KEY.ACTUAL_CALLED)
end
if ARGV[5] == '' then shards = call('HGET', p .. KEY.PROMOTED, '0') or '0' end
return {tostring(waiting), empty and '1' or '0', shards, format('%.0f', lease), unpack(members)}
