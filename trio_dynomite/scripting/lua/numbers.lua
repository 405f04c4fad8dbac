-- Numbers as text and as IEEE 754 and two's complement bytes, most significant first.

local box = ...

local abs, floor, frexp, ldexp, huge = math.abs, math.floor, math.frexp, math.ldexp, math.huge
local byte, char, find, format, gsub, match, rep, sub =
  string.byte, string.char, string.find, string.format, string.gsub, string.match, string.rep, string.sub
local tonumber = tonumber

local EXACT_MAX = 2 ^ 62  -- beyond it Valkey's double2ll does not try
local SUBNORMAL = 2 ^ -1022

local number = {}

-- C's conversion of a double to a 64-bit integer.
function number.long(n)
  if n ~= n or n >= 2 ^ 63 or n < -2 ^ 63 then
    return -2 ^ 63
  end
  return n < 0 and -floor(-n) or floor(n)
end

-- The fewest digits that read back as `n`, without trailing zeros, and the power of ten of the last one.
local function shortest(n)
  local precision = n < SUBNORMAL and 0 or 14
  local text
  repeat
    text = format('%.' .. precision .. 'e', n)
    precision = precision + 1
  until tonumber(text) == n
  local digits, exponent = match(text, '^(.-)e(.*)$')
  digits = gsub(digits, '%.', '')
  digits = match(digits, '^(.-)0*$')
  return digits, tonumber(exponent) - #digits + 1
end

-- As fpconv_dtoa writes it: plain while that is short, else with an exponent.
local function decimal(n)
  local digits, power = shortest(n)
  local count = #digits
  local exponent = power + count - 1
  if power >= 0 and abs(exponent) < count + 7 then
    return digits .. rep('0', power)
  elseif power < 0 and (power > -7 or abs(exponent) < 4) then
    local whole = count + power
    if whole <= 0 then
      return '0.' .. rep('0', -whole) .. digits
    end
    return sub(digits, 1, whole) .. '.' .. sub(digits, whole + 1)
  end
  local rest = count > 1 and '.' .. sub(digits, 2) or ''
  return format('%s%se%s%d', sub(digits, 1, 1), rest, exponent < 0 and '-' or '+', abs(exponent))
end

-- The text of a double in a reply.
function number.text(n)
  if n ~= n then
    return 'nan'
  elseif abs(n) == huge then
    return n > 0 and 'inf' or '-inf'
  elseif n == floor(n) and abs(n) <= EXACT_MAX then
    return format('%.0f', n)
  end
  return n < 0 and '-' .. decimal(-n) or decimal(n)
end

-- The text of a number among a command's arguments.
function number.argument(n)
  if n == 0 then
    return '0'
  elseif n ~= n then
    return format('%f', n)
  end
  return number.text(n)
end

-- `size` bytes of the integer `n`, of which as many bits count as there is room for.
function number.integer_bytes(n, size)
  local bytes = ''
  for _ = 1, size do
    local low = n % 256
    bytes = char(low) .. bytes
    n = (n - low) / 256
  end
  return bytes
end

-- The unsigned integer in `size` bytes at `at`.
function number.unsigned(bytes, at, size)
  if size == 8 then  -- in two parts, for it is to be rounded once
    return number.unsigned(bytes, at, 4) * 2 ^ 32 + number.unsigned(bytes, at + 4, 4)
  end
  local n = 0
  for i = at, at + size - 1 do
    n = n * 256 + byte(bytes, i)
  end
  return n
end

-- The signed integer there.
function number.signed(bytes, at, size)
  local n = number.unsigned(bytes, at, size)
  if byte(bytes, at) < 128 then
    return n
  end
  -- In two parts, for 2^64 - 1 is no double.
  local low = size > 4 and number.unsigned(bytes, at + size - 4, 4) or 0
  local high = size > 4 and number.unsigned(bytes, at, size - 4) or n
  local bits = size > 4 and (size - 4) * 8 or size * 8
  return (high - 2 ^ bits) * (size > 4 and 2 ^ 32 or 1) + low
end

-- Rounds to an integer, halves to the even one, as the processor does.
local function rounded(n)
  local whole = floor(n)
  local rest = n - whole
  if rest > 0.5 or (rest == 0.5 and whole % 2 == 1) then
    return whole + 1
  end
  return whole
end

-- IEEE 754 with so many bits of exponent and fraction: sign, exponent and fraction as two integers.
local function ieee_parts(n, exponent_bits, fraction_bits)
  local exponent_max, bias = 2 ^ exponent_bits - 1, 2 ^ (exponent_bits - 1) - 1
  local sign = (n < 0 or (n == 0 and 1 / n < 0)) and 2 ^ exponent_bits or 0
  if n ~= n then
    local negative = find(format('%f', n), '-', 1, true)
    return exponent_max + (negative and 2 ^ exponent_bits or 0), 2 ^ (fraction_bits - 1)
  elseif abs(n) == huge then
    return sign + exponent_max, 0
  elseif n == 0 then
    return sign, 0
  end
  local fraction, exponent = frexp(abs(n))
  exponent = exponent + bias - 1
  if exponent <= 0 then
    return sign, rounded(ldexp(fraction, fraction_bits + exponent))
  end
  fraction = rounded(ldexp(fraction * 2 - 1, fraction_bits))
  if fraction == 2 ^ fraction_bits then
    exponent, fraction = exponent + 1, 0
  end
  if exponent >= exponent_max then
    return sign + exponent_max, 0
  end
  return sign + exponent, fraction
end

local function ieee_number(head, fraction, exponent_bits, fraction_bits)
  local sign = 1
  if head >= 2 ^ exponent_bits then
    sign, head = -1, head - 2 ^ exponent_bits
  end
  local bias = 2 ^ (exponent_bits - 1) - 1
  if head == 2 ^ exponent_bits - 1 then
    return fraction == 0 and sign * huge or 0 / 0
  elseif head == 0 then
    return sign * ldexp(fraction, 1 - bias - fraction_bits)
  end
  return sign * ldexp(fraction + 2 ^ fraction_bits, head - bias - fraction_bits)
end

function number.double_bytes(n)
  local head, fraction = ieee_parts(n, 11, 52)
  local low = fraction % 2 ^ 32
  return number.integer_bytes(head * 2 ^ 20 + (fraction - low) / 2 ^ 32, 4) .. number.integer_bytes(low, 4)
end

function number.float_bytes(n)
  local head, fraction = ieee_parts(n, 8, 23)
  return number.integer_bytes(head * 2 ^ 23 + fraction, 4)
end

function number.double(bytes, at)
  local high, low = number.unsigned(bytes, at, 4), number.unsigned(bytes, at + 4, 4)
  local head = floor(high / 2 ^ 20)
  return ieee_number(head, (high - head * 2 ^ 20) * 2 ^ 32 + low, 11, 52)
end

function number.float(bytes, at)
  local bits = number.unsigned(bytes, at, 4)
  local head = floor(bits / 2 ^ 23)
  return ieee_number(head, bits - head * 2 ^ 23, 8, 23)
end

box.number = number
