-- SPDX-License-Identifier: Apache-2.0
-- Takes hours to compute: they are due again after the lease, should whoever took them die. And since everybody who works
-- comes by here, silent accounts and regions too: what no longer stands for anything is dropped, a little each time.
--
-- KEYS[1] the common start of all keys
-- ARGV    "1": also hours not due yet; lease (ms); the most to take; retention (ms)
-- returns  how many stand in `due`, "1" if nothing is left of the account and region, then members "hour:model"

local p, call, floor = KEYS[1], redis.call, math.floor
local due, open = p .. ':due', p .. ':open'
local retention = tonumber(ARGV[4])
local clock = call('TIME')
local now = clock[1] * 1000 + floor(clock[2] / 1000)
local LOOKED_AT = 100

local members = call('ZRANGEBYSCORE', due, '-inf', ARGV[1] == '1' and '+inf' or now, 'LIMIT', 0, ARGV[3])
for _, m in ipairs(members) do call('ZADD', due, now + ARGV[2], m) end

-- Buckets past the retention, and the count of what came too late for them.
local gone = call('ZRANGEBYSCORE', open, '-inf', now - retention, 'LIMIT', 0, LOOKED_AT)
if #gone > 0 then
  call('ZREM', open, unpack(gone))
  call('HDEL', p .. ':late', unpack(gone))
end

-- Hours leave an index when their figures have expired. Hours of long ago that were read lately still have theirs, so another
-- stretch is looked at each time.
local function prune(index)
  local old = floor((now - retention) / 3600000)
  local n = call('ZCOUNT', index, '-inf', old)
  if n == 0 then return end
  for _, m in ipairs(call('ZRANGEBYSCORE', index, '-inf', old, 'LIMIT', n > LOOKED_AT and now % n or 0, LOOKED_AT)) do
    if call('EXISTS', index .. ':' .. m) == 0 then call('ZREM', index, m) end
  end
end
prune(p .. ':usage')
prune(p .. ':actual')

local waiting = call('ZCARD', due)
local silent = waiting == 0 and call('EXISTS', open, p .. ':late', p .. ':usage', p .. ':actual') == 0
if silent then call('DEL', p .. ':billed', p .. ':actual:models') end -- how far a bill goes that has no figures any more

table.insert(members, 1, tostring(waiting))
table.insert(members, 2, silent and '1' or '0')
return members
