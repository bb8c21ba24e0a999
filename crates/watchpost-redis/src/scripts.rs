//! The Lua scripts: one event each, or a bounded number of small ones, so that none of them ever holds the server.
//!
//! Scripts exist only where several keys must change together or where a change depends on what is there. They name
//! keys of several slots; so this crate works with standalone and Sentinel servers, and says so for a cluster.

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

/// A digest over sorted fields, so that a rehash of the server does not change it, and the expiry (absolute from 7.0).
macro_rules! token {
    () => {
        r"
local function token(key, h)
  local parts = {}
  for i = 1, #h, 2 do
    parts[#parts + 1] = #h[i] .. ':' .. h[i] .. #h[i + 1] .. ':' .. h[i + 1]
  end
  table.sort(parts)
  local expiry = redis.pcall('PEXPIRETIME', key)
  if type(expiry) ~= 'number' then
    expiry = redis.call('PTTL', key) < 0 and -1 or 0
  end
  return redis.sha1hex(table.concat(parts)) .. '@' .. string.format('%.0f', expiry)
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
    /// both sides. After a MiB it stops, and the rest has to be asked for again.
    READ = guard!(), r"
local read, total = {}, 0
for i, key in ipairs(KEYS) do
  if total > 1048576 then break end
  local state, bytes = guarded(key)
  if state ~= 'ok' then
    read[i] = {state, {}}
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
local bytes = redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', samples) or 0
return {processed(KEYS[2], ARGV[1], redis.call('HGET', KEYS[1], '_q')) and 1 or 0, bytes}
";

    /// Reads one event for the archive. Keys: hash, stream. Arguments: group.
    /// Returns `{state, token, processed, bytes, fields}`.
    TAKE = guard!(), token!(), processed!(), r"
local state = guarded(KEYS[1])
if state ~= 'ok' then return {state, '', 0, 0, {}} end
local h = redis.call('HGETALL', KEYS[1])
local done = processed(KEYS[2], ARGV[1], redis.call('HGET', KEYS[1], '_q')) and 1 or 0
local bytes = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', '0')
if type(bytes) ~= 'number' then bytes = 0 end
return {state, token(KEYS[1], h), done, bytes, h}
";

    /// Removes one event if it is as it was read and has been processed. Keys: hash, stream, index. Arguments: group,
    /// token. Returns `removed`, `gone`, `changed` or `unprocessed`.
    REMOVE = guard!(), token!(), processed!(), r"
local state = guarded(KEYS[1])
if state == 'gone' then
  redis.call('ZREM', KEYS[3], KEYS[1])
  return 'gone'
end
if state ~= 'ok' then return 'changed' end
if token(KEYS[1], redis.call('HGETALL', KEYS[1])) ~= ARGV[2] then return 'changed' end
if not processed(KEYS[2], ARGV[1], redis.call('HGET', KEYS[1], '_q')) then return 'unprocessed' end
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[3], KEYS[1])
return 'removed'
";

    /// A payload and its SHA-1, if it is not encoded. Keys: hash.
    PAYLOAD = r"
local payload = redis.call('HGET', KEYS[1], 'payload')
if not payload or #payload > 1048576 then return {} end
if redis.call('HEXISTS', KEYS[1], 'payload_encoding') == 1 then return {} end
return {payload, redis.sha1hex(payload)}
";

    /// Replaces a payload if it is as it was read; the TTL stays. Keys: hash. Arguments: old payload's SHA-1, new
    /// payload. Returns 1 if done.
    COMPRESS = r"
local old = redis.call('HGET', KEYS[1], 'payload')
if not old or redis.sha1hex(old) ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[1], 'payload_encoding') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'payload', ARGV[2], 'payload_encoding', 'zstd')
return 1
";

    /// Gives a TTL to a hash that has none. Keys: hash. Arguments: ttl ms. Returns 1 if done.
    EXPIRE = r"
if redis.call('PTTL', KEYS[1]) ~= -1 then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
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
