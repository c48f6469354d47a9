-- SPDX-License-Identifier: Apache-2.0
-- Remembers messages of Kafka, or records of AWS's APIs, that cannot be read any more; the oldest of too
-- many are forgotten.
--
-- KEYS[1] the gaps
-- ARGV    field, value "SEEN_MS ...", how many are remembered

call('HSET', KEYS[1], ARGV[1], ARGV[2])
while call('HLEN', KEYS[1]) > tonumber(ARGV[3]) do
  local oldest, seen
  local all = call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local at = tonumber(string.match(all[i + 1], '^%d+')) or 0
    if not seen or at < seen then oldest, seen = all[i], at end
  end
  call('HDEL', KEYS[1], oldest)
end
return 1
