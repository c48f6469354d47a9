-- SPDX-License-Identifier: Apache-2.0
-- The tags of sessions have arrived: hours in which these sessions called before are to be computed again.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    delay (ms), then session keys as in `sessions` (access key, or arn@start)

local p = KEYS[1]
local now = now_ms()
local soon = now + tonumber(ARGV[1])

local function has_called(bucket)
  local sessions = p .. KEY_SESSIONS .. bucket
  if call('EXISTS', sessions) == 0 then return false end
  for i = 2, #ARGV do
    if call('SISMEMBER', sessions, ARGV[i]) == 1 then return true end
  end
  return false
end

-- Of buckets that are closed no session is known any more. A bucket names the sessions of its records;
-- another record may have moved the call beyond its edge.
local touched = {}
for _, bucket in ipairs(call('ZRANGEBYSCORE', p .. KEY_OPEN, now, '+inf')) do
  if has_called(bucket) then touch_around(p, tonumber(bucket), soon, touched) end
end
return 'OK'
