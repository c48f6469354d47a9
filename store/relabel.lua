-- SPDX-License-Identifier: Apache-2.0
-- The tags of sessions have arrived: hours in which these sessions called before are to be computed again.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    delay (ms), "1": also hours that are closed and can be reopened, then session keys as in `sessions`
--         (access key, or arn@start)

local p = KEYS[1]
local now = now_ms()
local soon = now + tonumber(ARGV[1])

local function has_called(bucket)
  local sessions = p .. KEY.SESSIONS .. bucket
  if call('EXISTS', sessions) == 0 then return false end
  for i = 3, #ARGV do
    if call('SISMEMBER', sessions, ARGV[i]) == 1 then return true end
  end
  return false
end

-- A bucket names the sessions of its records; another record may have moved the call beyond its edge.
local touched = {}
local function touch_buckets(buckets)
  for _, bucket in ipairs(call('ZRANGEBYSCORE', buckets, now, '+inf')) do
    if has_called(bucket) then touch_around(p, tonumber(bucket), soon, touched) end
  end
end
touch_buckets(p .. KEY.OPEN)
if ARGV[2] == '1' then touch_buckets(p .. KEY.REOPEN) end
return 'OK'
