-- SPDX-License-Identifier: Apache-2.0
-- Sets a key unless it holds a longer value, or one as long and bytewise larger: in any order, the same
-- one stays.
--
-- KEYS[1] the key; ARGV  value, time to live (ms); returns 1 if it was set

local new, old = ARGV[1], call('GET', KEYS[1])
if not old or #new > #old or (#new == #old and less(old, new)) then
  call('SET', KEYS[1], new, 'PX', ARGV[2])
  return 1
end
call('PEXPIRE', KEYS[1], ARGV[2])
return 0
