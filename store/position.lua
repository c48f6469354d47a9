-- SPDX-License-Identifier: Apache-2.0
-- Writes how far partitions of a topic were read, together with the facts of what was read.
--
-- A position moves on only from where Redis has it: if Redis has less than the worker read from, it has lost
-- facts, and the position stays, so that the worker sees it and goes back. A fresh reading begins anew.
--
-- KEYS[1] the positions of the topic
-- ARGV    how long they are kept (ms), then for each: partition, from, next, reading, time of the last
--         message (ms), 1 if the reading is fresh
-- returns for each what Redis has now, "NEXT READING MS", or "" if it has nothing; of a fresh reading
--         followed by what Redis had before, if anything

local answers, written = {}, false
for i = 2, #ARGV, 6 do
  local partition, from, next = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local held = call('HGET', KEYS[1], partition) or ''
  local at, reading = string.match(held, '^(%d+) (%x+) ')
  local known = reading == ARGV[i + 3]
  at = tonumber(at)
  if (known and at >= from and next > at) or (not known and ARGV[i + 5] == '1') then
    local before = held
    held = ARGV[i + 2] .. ' ' .. ARGV[i + 3] .. ' ' .. ARGV[i + 4]
    call('HSET', KEYS[1], partition, held)
    written = true
    if not known and before ~= '' then held = held .. ' ' .. before end
  end
  answers[#answers + 1] = held
end
if written then call('PEXPIRE', KEYS[1], ARGV[1]) end
return answers
