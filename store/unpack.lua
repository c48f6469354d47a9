-- SPDX-License-Identifier: Apache-2.0
-- Unpacks calls of a bucket, so that records can be joined with them. They are packed again after a delay.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    bucket, delay (ms)
-- returns  how many texts are still packed

local p, bucket = KEYS[1], ARGV[1]
local calls, packed = p .. KEY.CALLS .. bucket, p .. KEY.PACKED .. bucket
local text = call('LPOP', packed)
if not text then return '0' end
local till = call('ZSCORE', p .. KEY.REOPEN, bucket)
if till then
  if call('EXISTS', calls) == 0 then call('SET', p .. KEY.PAIRS .. bucket, '', 'PXAT', till) end
  set_fields(calls, unpack_text(text), 1)
  call('PEXPIREAT', calls, till)
  call('ZADD', p .. KEY.PACK, now_ms() + tonumber(ARGV[2]), bucket)
end
return tostring(call('LLEN', packed))
