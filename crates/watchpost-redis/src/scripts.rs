//! The Lua scripts: one event each, or a bounded number of small ones, so that none of them ever holds the server.
//!
//! Scripts exist only where several keys must change together or where a change depends on what is there. They name
//! keys that a cluster spreads over slots; so there the prefix has a hash tag ([`crate::cluster`]).

use std::sync::LazyLock;

use redis::Script;

/// A script and its digest.
pub(crate) struct Lua {
    source: &'static str,
    script: Script,
}

impl Lua {
    fn new(source: &'static str) -> Self {
        Self { source, script: Script::new(source) }
    }

    pub(crate) const fn source(&self) -> &'static str {
        self.source
    }

    pub(crate) fn hash(&self) -> &str {
        self.script.get_hash()
    }
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($part:expr),+;)+) => {
        $($(#[$doc])* pub(crate) static $name: LazyLock<Lua> = LazyLock::new(|| Lua::new(concat!($($part),+)));)+

        /// Every script, to load them when a connection is made.
        pub(crate) fn all() -> impl Iterator<Item = &'static Lua> {
            [$(&*$name),+].into_iter()
        }
    };
}

/// Tells whether a key can be read as an event: `type`, number of fields and bytes are bounded before `HGETALL`.
/// What the whole key takes in memory is more than its fields, and one question; where the server does not say, or says
/// too much, the fields are counted one by one.
macro_rules! guard {
    () => {
        r"
local function guarded(key)
  local n = redis.pcall('HLEN', key)
  if type(n) ~= 'number' then
    -- Only another type makes the key unreadable for good; what the user may not ask is the caller's to hear.
    if string.sub(n.err, 1, 9) ~= 'WRONGTYPE' then error(n) end
    return 'type:' .. redis.call('TYPE', key).ok
  end
  if n == 0 then return 'gone' end
  -- The mark that the engine leaves is none of the application's fields.
  if n > 64 and redis.pcall('HEXISTS', key, '_q') == 1 then n = n - 1 end
  if n > 64 then return 'wide:' .. n end
  local bytes = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', '0')
  if type(bytes) == 'number' and bytes <= 2097152 then return 'ok', bytes end
  bytes = 0
  for _, field in ipairs(redis.call('HKEYS', key)) do
    bytes = bytes + #field + redis.call('HSTRLEN', key, field)
  end
  if bytes > 2097152 then return 'large:' .. bytes end
  return 'ok', bytes
end
"
    };
}

/// The expiry of a key, absolute from 7.0, and the mark of the queue in its fields.
macro_rules! expiry {
    () => {
        r"
local function expiry(key)
  local at = redis.pcall('PEXPIRETIME', key)
  if type(at) ~= 'number' then
    at = redis.call('PTTL', key) < 0 and -1 or 0
  end
  return '@' .. string.format('%.0f', at)
end
local function mark(h)
  for i = 1, #h, 2 do
    if h[i] == '_q' then return h[i + 1] end
  end
  return false
end
"
    };
}

/// A digest over the fields, and the expiry. A compact hash keeps its order as long as it is not changed; that of a table
/// depends on its last rehash, so its fields are sorted. `packed` is the fields packed.
macro_rules! token {
    () => {
        r"
local function token(key, h, packed)
  local encoding = redis.pcall('OBJECT', 'ENCODING', key)
  if encoding == 'listpack' or encoding == 'ziplist' then return 'p' .. redis.sha1hex(packed) .. expiry(key) end
  local parts = {}
  for i = 1, #h, 2 do
    parts[#parts + 1] = #h[i] .. ':' .. h[i] .. #h[i + 1] .. ':' .. h[i + 1]
  end
  table.sort(parts)
  return redis.sha1hex(table.concat(parts)) .. expiry(key)
end
"
    };
}

/// Has the group acknowledged the stream entry of a hash? `q` is the entry's id.
macro_rules! processed {
    () => {
        r"
local function before(a, b)
  local am, as = string.match(a, '^(%d+)-(%d+)$')
  local bm, bs = string.match(b, '^(%d+)-(%d+)$')
  if not am or not bm then return false end
  am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
  return am < bm or (am == bm and as < bs)
end
local function processed(stream, group, q)
  if not q then return false end
  local entry = redis.pcall('XRANGE', stream, q, q)
  if type(entry) ~= 'table' or entry.err or #entry == 0 then return true end
  local pending = redis.pcall('XPENDING', stream, group, q, q, 1)
  if type(pending) ~= 'table' or pending.err or #pending > 0 then return false end
  for _, g in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local info = {}
    for i = 1, #g, 2 do info[g[i]] = g[i + 1] end
    if info['name'] == group then return not before(info['last-delivered-id'], q) end
  end
  return false
end
"
    };
}

scripts! {
    /// Writes one event as an application would. Keys: hash, tie hash, index, stream. Arguments: id, ms, ttl ms, then
    /// field, value pairs. Returns `{written, key}`; `0` means that the event is there already.
    WRITE = r"
local function holder(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return nil end
  if kind ~= 'hash' then return '' end
  return redis.call('HGET', key, 'id') or ''
end
local key = nil
local first = holder(KEYS[1])
local second = holder(KEYS[2])
if first == ARGV[1] then return {0, KEYS[1]} end
if second == ARGV[1] then return {0, KEYS[2]} end
if not first then key = KEYS[1] elseif not second then key = KEYS[2] end
local n = 1
while not key do
  local other = KEYS[2] .. n
  local there = holder(other)
  if there == ARGV[1] then return {0, other} end
  if not there then key = other end
  n = n + 1
  if n > 9 then return redis.error_reply('ERR no free key for this millisecond') end
end
local entry = redis.call('XADD', KEYS[4], '*', 'key', key)
redis.call('HSET', key, '_q', entry, unpack(ARGV, 4))
redis.call('PEXPIRE', key, ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[2], key)
return {1, key}
";

    /// Reads the hashes of events, guarded. Keys: hashes. Arguments: for each the id of its stream entry or empty; a hash
    /// that an application has put on the stream itself is marked with it (a full server may refuse that; reading goes
    /// on). Returns `{state, fields}` for each, the fields packed by MessagePack: one answer instead of twenty is cheaper for
    /// both sides. One of more than 256 KiB is `plain`: it is marked, and read without a script. Before more than these it stops,
    /// and the rest has to be asked for again; the first is looked at in any case.
    READ = guard!(), r"
local read, total = {}, 0
for i, key in ipairs(KEYS) do
  local state, bytes = guarded(key)
  if i > 1 and total + (bytes or 0) > 262144 then break end
  if state ~= 'ok' then
    read[i] = {state, {}}
  elseif bytes > 262144 then
    if ARGV[i] ~= '' and redis.call('HEXISTS', key, '_q') == 0 then redis.pcall('HSET', key, '_q', ARGV[i]) end
    read[i] = {'plain', {}}
    total = total + bytes
  else
    local fields = redis.call('HGETALL', key)
    local marked = ARGV[i] == ''
    for j = 1, #fields, 2 do marked = marked or fields[j] == '_q' end
    if not marked then redis.pcall('HSET', key, '_q', ARGV[i]) end
    read[i] = {state, cmsgpack.pack(fields)}
    total = total + bytes
  end
end
return read
";

    /// Which of these keys may be bare: hashes without the mark of the stream, and what is no hash. Keys: some. Returns
    /// their numbers, from 1.
    UNMARKED = r"
local found = {}
for i, key in ipairs(KEYS) do
  if redis.pcall('HEXISTS', key, '_q') ~= 1 then found[#found + 1] = i end
end
return found
";

    /// Puts a bare hash on the stream, once. Keys: hash, index, stream. Arguments: ms.
    /// Returns `queued`, `adopted`, `gone` or `type:...`.
    ADOPT = r"
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return 'gone' end
if kind ~= 'hash' then return 'type:' .. kind end
if redis.call('HEXISTS', KEYS[1], '_q') == 1 then return 'queued' end
local entry = redis.call('XADD', KEYS[3], '*', 'key', KEYS[1])
redis.call('HSET', KEYS[1], '_q', entry)
redis.call('ZADD', KEYS[2], ARGV[1], KEYS[1])
return 'adopted'
";

    /// Notes an unreadable key. Keys: zset, hash. Arguments: now ms, key, reason, cap. Returns 1 if it is new.
    QUARANTINE = r"
local added = redis.call('ZADD', KEYS[1], 'NX', ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[4]) then
  local oldest = redis.call('ZPOPMIN', KEYS[1])
  if oldest[1] then redis.call('HDEL', KEYS[2], oldest[1]) end
end
return added
";

    /// What retention would find. Keys: hash, stream. Arguments: group. Returns `{processed, bytes}`, nil if gone.
    PEEK = processed!(), r"
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return nil end
-- All fields of an event, but only some of a hash that is none.
local samples = redis.call('HLEN', KEYS[1]) <= 64 and '0' or '5'
local bytes = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', samples)
if type(bytes) ~= 'number' then bytes = 0 end
return {processed(KEYS[2], ARGV[1], redis.call('HGET', KEYS[1], '_q')) and 1 or 0, bytes}
";

    /// Reads events for the archive. Keys: stream, hashes. Arguments: group, bytes from which on it reads no further, bytes
    /// from which on one is large. Returns `{state, token, processed, bytes, fields}` for each that it read, the fields packed
    /// by MessagePack; of a large one the token is `v` with the expiry, and the fields are not read.
    TAKE = guard!(), expiry!(), token!(), processed!(), r"
local taken, total = {}, 0
for i = 2, #KEYS do
  local key = KEYS[i]
  local state, bytes = guarded(key)
  if i > 2 and total + (bytes or 0) > tonumber(ARGV[2]) then break end
  if state ~= 'ok' then
    taken[i - 1] = {state, '', 0, 0, {}}
  elseif bytes > tonumber(ARGV[3]) then
    local done = processed(KEYS[1], ARGV[1], redis.call('HGET', key, '_q')) and 1 or 0
    taken[i - 1] = {state, 'v' .. expiry(key), done, bytes, {}}
    total = total + bytes
  else
    local h = redis.call('HGETALL', key)
    local packed = cmsgpack.pack(h)
    local done = processed(KEYS[1], ARGV[1], mark(h)) and 1 or 0
    taken[i - 1] = {state, token(key, h, packed), done, bytes, packed}
    total = total + bytes
  end
end
return taken
";

    /// Removes events that are as they were read and have been processed. Keys: stream, then hash and index of each (the
    /// stream where there is none). Arguments: group, then the token of each. Returns `removed`, `gone`, `changed` or `unprocessed` for each.
    REMOVE = guard!(), expiry!(), token!(), processed!(), r"
local function remove(key, index, expected)
  local state = guarded(key)
  if state == 'gone' then
    if index ~= KEYS[1] then redis.call('ZREM', index, key) end
    return 'gone'
  end
  if state ~= 'ok' or expected == '' then return 'changed' end
  local h = redis.call('HGETALL', key)
  if token(key, h, cmsgpack.pack(h)) ~= expected then return 'changed' end
  if not processed(KEYS[1], ARGV[1], mark(h)) then return 'unprocessed' end
  redis.call('UNLINK', key)
  redis.call('ZREM', index, key)
  return 'removed'
end
local done = {}
for i = 2, #KEYS, 2 do
  done[#done + 1] = remove(KEYS[i], KEYS[i + 1], ARGV[i / 2 + 1])
end
return done
";

    /// A payload, if it is not encoded. Keys: hash.
    PAYLOAD = r"
local payload = redis.call('HGET', KEYS[1], 'payload')
if not payload or #payload > 1048576 then return {} end
if redis.call('HEXISTS', KEYS[1], 'payload_encoding') == 1 then return {} end
return {payload}
";

    /// Replaces a payload if it is as it was read; the TTL stays. Keys: hash. Arguments: old payload, new payload. Returns 1 if
    /// done.
    COMPRESS = r"
local old = redis.call('HGET', KEYS[1], 'payload')
if old ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[1], 'payload_encoding') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'payload', ARGV[2], 'payload_encoding', 'zstd')
return 1
";

    /// A payload that is compressed. Keys: hash.
    PACKED = r"
if redis.call('HGET', KEYS[1], 'payload_encoding') ~= 'zstd' then return {} end
local payload = redis.call('HGET', KEYS[1], 'payload')
if not payload or #payload > 1048576 then return {} end
return {payload}
";

    /// Puts what a compressed payload was made of back in its place, if it is as it was read; the TTL stays. Keys: hash.
    /// Arguments: compressed payload, payload. Returns 1 if done.
    UNPACK = r"
if redis.call('HGET', KEYS[1], 'payload_encoding') ~= 'zstd' then return 0 end
if redis.call('HGET', KEYS[1], 'payload') ~= ARGV[1] then return 0 end
-- In this order: a full server refuses the first, and then nothing is changed.
redis.call('HSET', KEYS[1], 'payload', ARGV[2])
redis.call('HDEL', KEYS[1], 'payload_encoding')
return 1
";

    /// Finds compact hashes with a field that the server's limit would not let them have by now, and writes that once more
    /// as it is: then the server keeps the hash as a large one. Keys: hashes. Arguments: longest field of a compact hash, 1
    /// to write. Returns 1 for each that is found, else 0. Before more than 64 KiB it stops, and the rest has to be asked for
    /// again; the first is looked at in any case.
    WIDEN = r"
local total = 0
local limit = tonumber(ARGV[1])
local function look(key)
  local encoding = redis.pcall('OBJECT', 'ENCODING', key)
  if encoding ~= 'listpack' and encoding ~= 'ziplist' then return 0 end
  local bytes = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', '0')
  if type(bytes) ~= 'number' or bytes > 65536 then return 0 end
  if total > 0 and total + bytes > 65536 then return nil end
  total = total + bytes
  local h = redis.pcall('HGETALL', key)
  if h.err then return 0 end
  for i = 1, #h, 2 do
    if #h[i] > limit or #h[i + 1] > limit then
      if ARGV[2] == '1' then redis.call('HSET', key, h[i], h[i + 1]) end
      return 1
    end
  end
  return 0
end
local found = {}
for i, key in ipairs(KEYS) do
  local one = look(key)
  if not one then break end
  found[i] = one
end
return found
";

    /// Puts wide hashes back into the compact encoding: written again as they are, with expiry and idle time, the server
    /// chooses anew. Keys: hashes. Arguments: most fields, longest field of a compact hash, longest one to estimate for;
    /// then, before writing, for each hash the bytes of its payload once that is compressed, or empty, or nothing for any;
    /// last, 1 to write. Returns `{state, bytes before, bytes after}` for each: `compact`, or `long` where only the estimate
    /// speaks for it; before writing, the bytes after are an estimate too; `unasked` where the user may not ask. Before more than 64 KiB it stops, and the rest has
    /// to be asked for again; the first is looked at in any case.
    COMPACT = r"
local total = 0
local write = ARGV[#ARGV] == '1'
-- What the allocator takes for a text of so many bytes, nearly.
local function taken(bytes)
  local step = math.max(2 ^ (math.floor(math.log(bytes + 4) / math.log(2)) - 2), 8)
  return math.ceil((bytes + 4) / step) * step
end
local function look(key, small)
  local encoding = redis.pcall('OBJECT', 'ENCODING', key)
  if type(encoding) == 'table' and encoding.err then return {'unasked'} end
  if encoding ~= 'hashtable' then return {'not'} end
  local n = redis.call('HLEN', key)
  if n == 0 then return {'not'} end
  if small then n = n + 1 end
  if n > 64 or n > tonumber(ARGV[1]) then return {'not'} end
  local before = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', '0')
  if type(before) == 'table' then return {'unasked'} end
  if type(before) ~= 'number' then return {'not'} end
  if small then before = before - taken(redis.call('HSTRLEN', key, 'payload')) + taken(small) + 56 end
  -- More than what 64 KiB of fields take in any case.
  if before > 131072 then return {'not'} end
  if total > 0 and total + before > 65536 then return nil end
  total = total + before
  local longest, packed = 0, 7
  local function add(bytes)
    longest = math.max(longest, bytes)
    packed = packed + bytes + (bytes < 64 and 2 or 4)
  end
  if small then
    -- As it would be read once the payload is compressed.
    for _, field in ipairs(redis.call('HKEYS', key)) do
      add(#field)
      if field ~= 'payload' then add(redis.call('HSTRLEN', key, field)) end
    end
    for _, bytes in ipairs({small, #'payload_encoding', #'zstd'}) do add(bytes) end
  else
    local h = redis.call('HGETALL', key)
    for i = 1, #h do add(#h[i]) end
  end
  if packed > 65536 or longest > tonumber(ARGV[3]) then return {'not'} end
  -- The entry of the key itself, and the object: as they are for every key.
  local after = packed + #key + 72
  if longest > tonumber(ARGV[2]) then return {'long', before, after} end
  if not write then return {'compact', before, after} end
  local ttl, absolute = redis.pcall('PEXPIRETIME', key), true
  if type(ttl) ~= 'number' then ttl, absolute = redis.call('PTTL', key), false end
  local words = {'RESTORE', key, string.format('%.0f', math.max(ttl, 0)), redis.call('DUMP', key), 'REPLACE'}
  if absolute then words[#words + 1] = 'ABSTTL' end
  local idle = redis.pcall('OBJECT', 'IDLETIME', key)
  if type(idle) == 'number' then
    words[#words + 1] = 'IDLETIME'
    words[#words + 1] = idle
  end
  local done = redis.pcall(unpack(words))
  if done.err then return redis.error_reply(done.err) end
  return {'compact', before, redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')}
end
local found = {}
for i, key in ipairs(KEYS) do
  local one = look(key, #ARGV > 4 and tonumber(ARGV[3 + i]) or nil)
  if not one then break end
  if one.err then return one end
  found[i] = one
end
return found
";

    /// Gives a TTL to a hash that has none. Keys: hash. Arguments: ttl ms. Returns 1 if done.
    EXPIRE = r"
if redis.call('PTTL', KEYS[1]) ~= -1 then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
";

    /// Which commands the user may send, without the entry in the server's log that a refusal leaves. Keys: none. Arguments:
    /// commands, their words apart. Returns for each 1, 0 where it is not allowed, -1 where the server does not know it;
    /// nothing before 7.0, which cannot tell.
    MAY = r"
if not redis.acl_check_cmd then return {} end
local found = {}
for i, command in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(command, '%S+') do words[#words + 1] = word end
  local known, may = pcall(redis.acl_check_cmd, unpack(words))
  found[i] = not known and -1 or may and 1 or 0
end
return found
";

    /// Puts a key in the place of another one, whose memory is freed aside: `RENAME` alone would free it on the spot. Keys:
    /// what is there, what takes its place. Returns 0 if that is gone, and then nothing is changed.
    REPLACE = r"
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('UNLINK', KEYS[1])
redis.call('RENAME', KEYS[2], KEYS[1])
return 1
";

    /// Drops an index member whose key is gone. Keys: index, hash. Returns 1 if done.
    UNINDEX = r"
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('ZREM', KEYS[1], KEYS[2])
";

    /// Puts a block in force unless another one lasts longer. Keys: block, zset of ranges. Arguments: JSON, ttl ms,
    /// block id, range or empty, until (Unix s), now (Unix s). Returns `{outcome, ttl ms, JSON of the other block}`.
    BLOCK = r"
local there = redis.call('PTTL', KEYS[1])
local old = false
if there ~= -2 then
  old = redis.call('GET', KEYS[1])
  local ok, json = pcall(cjson.decode, old)
  local same = ok and type(json) == 'table' and json.id == ARGV[3]
  if not same and (there == -1 or there >= tonumber(ARGV[2])) then return {'kept', there, old} end
  if same then old = false end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[4] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[6])
  redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
end
return {'written', redis.call('PTTL', KEYS[1]), old}
";

    /// Takes a block back if it is still the one that is meant. Keys: block, zset of ranges. Arguments: block id, range
    /// or empty. Returns `{outcome, JSON of the other block}`.
    UNBLOCK = r"
local old = redis.call('GET', KEYS[1])
if not old then
  if ARGV[2] ~= '' then redis.call('ZREM', KEYS[2], ARGV[2]) end
  return {'gone', false}
end
local ok, json = pcall(cjson.decode, old)
if not ok or type(json) ~= 'table' or json.id ~= ARGV[1] then return {'replaced', old} end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.call('ZREM', KEYS[2], ARGV[2]) end
return {'removed', false}
";
}
