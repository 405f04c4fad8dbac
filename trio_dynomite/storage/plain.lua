#!lua name=trio_dynomite_plain_1
-- A write that builds on what is there, as the primary's server has run it: ARGV[1] tells for each key whether it
-- was there. What was not there is old here, and goes first. Where something is missing none of the keys stays.
redis.register_function('trio_dynomite_plain_1', function(keys, args)
  local there = args[1]
  local is_whole = true
  for at, key in ipairs(keys) do
    if string.sub(there, at, at) == '0' then
      redis.call('UNLINK', key)
    elseif redis.call('EXISTS', key) == 0 then
      is_whole = false
    end
  end
  if is_whole then
    return redis.call(unpack(args, 2))
  end
  redis.call('UNLINK', unpack(keys))
  return redis.status_reply('COLD')
end)
