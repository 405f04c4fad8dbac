-- bit.*: LuaBitOp's 32-bit operations (http://bitop.luajit.org/api.html), on doubles.

local box = ...

local abs, floor, frexp, huge = math.abs, math.floor, math.frexp, math.huge
local byte, format, sub = string.byte, string.format, string.sub
local select = select
local integer_bytes = box.number.integer_bytes

local WORD = 2 ^ 32
local ROUNDER = 2 ^ 52 + 2 ^ 51  -- added to a double it leaves the rounded integer in the low bits

-- AND of two numbers of four bits: and_table[16 * a + b].
local and_table = {}
for a = 0, 15 do
  for b = 0, 15 do
    local result, bit_value, x, y = 0, 1, a, b
    for _ = 1, 4 do
      if x % 2 == 1 and y % 2 == 1 then
        result = result + bit_value
      end
      x, y, bit_value = floor(x / 2), floor(y / 2), bit_value * 2
    end
    and_table[16 * a + b] = result
  end
end

-- The word (0..2^32-1) that argument `i` is.
local function word(value, i)
  local n = box.check_number(value, i)
  if n >= 0 and n < WORD and n == floor(n) then
    return n + 0
  end
  local sum = abs(n + ROUNDER)
  if sum ~= sum or sum == huge then
    return 0
  end
  local fraction = frexp(sum)
  return fraction * 2 ^ 53 % WORD
end

local function signed(n)
  return n < 2 ^ 31 and n or n - WORD
end

local function both(a, b)
  local result, place = 0, 1
  while a > 0 and b > 0 do
    local x, y = a % 16, b % 16
    result = result + and_table[16 * x + y] * place
    a, b, place = (a - x) / 16, (b - y) / 16, place * 16
  end
  return result
end

local function left(n, count)
  return n % 2 ^ (32 - count) * 2 ^ count
end

local function right(n, count)
  return floor(n / 2 ^ count)
end

local operations = {}

function operations.tobit(x)
  return signed(word(x, 1))
end

function operations.bnot(x)
  return signed(WORD - 1 - word(x, 1))
end

local function folded(combine)
  return function(first, ...)
    local result = word(first, 1)
    for i = select('#', ...), 1, -1 do
      result = combine(result, word(select(i, ...), i + 1))
    end
    return signed(result)
  end
end

operations.band = folded(both)
operations.bor = folded(function(a, b) return a + b - both(a, b) end)
operations.bxor = folded(function(a, b) return a + b - 2 * both(a, b) end)

local function shift(move)
  return function(x, count)
    return signed(move(word(x, 1), word(count, 2) % 32))
  end
end

operations.lshift = shift(left)
operations.rshift = shift(right)
operations.arshift = shift(function(n, count)
  return floor(signed(n) / 2 ^ count) % WORD
end)
operations.rol = shift(function(n, count) return left(n, count) + right(n, 32 - count) end)
operations.ror = shift(function(n, count) return left(n, 32 - count) % WORD + right(n, count) end)

function operations.bswap(x)
  local a, b, c, d = byte(integer_bytes(word(x, 1), 4), 1, 4)
  return signed(((d * 256 + c) * 256 + b) * 256 + a)
end

function operations.tohex(x, ...)
  local n, digits = word(x, 1), 8
  if select('#', ...) > 0 then
    digits = signed(word((...), 2))
  end
  local text = format(digits < 0 and '%08X' or '%08x', n)
  digits = abs(digits)
  return digits >= 8 and text or digits == 0 and '' or sub(text, -digits)
end

box.bit = {}
for name, operation in pairs(operations) do
  box.bit[name] = box.native(name, operation)
end
