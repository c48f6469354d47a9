-- SPDX-License-Identifier: Apache-2.0
-- Puts the staged figures of a run in the place of a billing period's, all at once, unless a later run has
-- done so.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    run, period, first hour, end hour (exclusive), retention (ms), since, watermark (hours; 0: leave
--         it), then models that are application inference profiles, each with the ARN by which it was called
-- returns 1 done, 0 a later run was faster

local p = KEYS[1]
local run, period = tonumber(ARGV[1]), ARGV[2]
local actual, staged, billed = p .. KEY.ACTUAL, p .. KEY.STAGED .. ARGV[1], p .. KEY.BILLED
local members = call('ZRANGE', staged, 0, -1, 'WITHSCORES')

if tonumber(call('HGET', billed, period) or '0') > run then
  for i = 1, #members, 2 do
    call('DEL', staged .. ':' .. members[i])
  end
  call('DEL', staged)
  return '0'
end

for _, member in ipairs(call('ZRANGEBYSCORE', actual, ARGV[3], '(' .. ARGV[4])) do
  if not call('ZSCORE', staged, member) then
    call('DEL', actual .. ':' .. member)
    call('ZREM', actual, member)
  end
end
for i = 1, #members, 2 do
  local member = members[i]
  call('RENAME', staged .. ':' .. member, actual .. ':' .. member)
  call('PEXPIRE', actual .. ':' .. member, ARGV[5])
  call('ZADD', actual, members[i + 1], member)
  call('SADD', p .. KEY.ACTUAL_MODELS, sub(member, MEMBER_MODEL + 1))
end
set_fields(p .. KEY.ACTUAL_CALLED, ARGV, 8)
call('DEL', staged)
call('HSET', billed, period, run)
local since, watermark = call('HGET', billed, 'since'), call('HGET', billed, 'watermark')
if tonumber(ARGV[7]) > 0 then
  if not since or tonumber(ARGV[6]) < tonumber(since) then
    call('HSET', billed, 'since', ARGV[6])
  end
  if not watermark or tonumber(ARGV[7]) > tonumber(watermark) then
    call('HSET', billed, 'watermark', ARGV[7])
  end
end
return '1'
