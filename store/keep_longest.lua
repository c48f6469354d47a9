-- SPDX-License-Identifier: Apache-2.0
-- Sets a key unless it holds a longer value, or one as long and bytewise larger: whichever comes first, the same one stays.
--
-- KEYS[1] the key; ARGV  value, time to live (ms); returns 1 if it was set
local new, old = ARGV[1], redis.call('GET', KEYS[1])
local better = not old or #new > #old
if old and #new == #old then
  for i = 1, #new do
    local x, y = string.byte(new, i), string.byte(old, i)
    if x ~= y then
      better = x > y
      break
    end
  end
end
if better then
  redis.call('SET', KEYS[1], new, 'PX', ARGV[2])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return better and 1 or 0
