-- SPDX-License-Identifier: Apache-2.0
-- Writes what one evaluation found, all or nothing, if its writer still holds the lease.
--
-- KEYS[1] alerts  [2] lease  [3] history  [4] outbox  [5] messages  [6] silences
-- ARGV    token; now (ms); history to keep; a JSON object: set {field: alert}, del [field], history [event],
--         messages {id: message}, the values being JSON texts themselves; over [silence]
-- returns 1, or 0: the lease is somebody else's

if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local what = cjson.decode(ARGV[4])
for field, alert in pairs(what.set) do redis.call('HSET', KEYS[1], field, alert) end
for _, field in ipairs(what.del) do redis.call('HDEL', KEYS[1], field) end
for _, id in ipairs(what.over) do redis.call('HDEL', KEYS[6], id) end
for _, event in ipairs(what.history) do redis.call('LPUSH', KEYS[3], event) end
redis.call('LTRIM', KEYS[3], 0, ARGV[3] - 1)
for id, message in pairs(what.messages) do
	redis.call('HSET', KEYS[5], id, message)
	redis.call('ZADD', KEYS[4], ARGV[2], id)
end
return 1
