-- SPDX-License-Identifier: Apache-2.0
-- Writes the scores of days, unless a later run has. A score is replaced by one of at least as many hours:
-- what was scored while its snapshots were there stays when they have expired.
--
-- KEYS[1] the hash of a billing period
-- ARGV    run, retention (ms), then day and horizon ("2026-11-02 5m"), hours, value

local key, run = KEYS[1], tonumber(ARGV[1])
if tonumber(call('HGET', key, 'run') or '0') > run then
  return '0'
end
for i = 3, #ARGV, 3 do
  local old = call('HGET', key, ARGV[i])
  if not old or tonumber(string.match(old, '^%d+')) <= tonumber(ARGV[i + 1]) then
    call('HSET', key, ARGV[i], ARGV[i + 2])
  end
end
call('HSET', key, 'run', ARGV[1])
call('PEXPIRE', key, ARGV[2])
return '1'
