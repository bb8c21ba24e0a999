#!/usr/bin/env python3
"""Checks an export of a Watchpost audit trail. Needs Python 3.8 or later and nothing else; uses `openssl` for the
signature where there is one that can, else the code below.

    python3 verify.py                     checks the bundle beside this file
    python3 verify.py FOLDER              checks the bundle in FOLDER
    python3 verify.py --proof FILE        checks one record (`watchpost audit prove`) with the key beside this file
    --key KEY                             a key that you trust: name+id+base64, from somebody you trust; the checkpoint
                                          is signed by it, or by one that it led to (keys that were rolled)
    --leaves-only                         does not open the records, which takes a few milliseconds each
    --tsa FILE                            certificates (PEM) of a time stamp authority that you trust: lets openssl check the
                                          time stamp of the bundle

Exit code 0: everything holds. 1: something does not; every problem is one line. 2: wrong usage.
"""

import base64
import binascii
import bisect
import datetime
import hashlib
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import tempfile


class Bad(Exception):
    """Something does not hold."""


# ---- RFC 6962: the hash tree -------------------------------------------------------------------------------------

def leaf_hash(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(row):
    while len(row) > 1:
        last = row[-1:] if len(row) % 2 else []
        row = [node_hash(row[n], row[n + 1]) for n in range(0, len(row) - 1, 2)] + last
    return row[0]


def tile_path(level, n, width):
    """Where a tile lies (C2SP tlog-tiles): groups of three digits, all but the last behind an x."""
    text = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        text = "x%03d/%s" % (n % 1000, text)
    return "tile/%d/%s%s" % (level, text, "" if width == 256 else ".p/%d" % width)


def root_of(hashes, seen=None):
    """The root of a tree; `seen` gets path and content of each of its tiles."""
    level, row, tail = 0, hashes, []
    while row:
        above = []
        for start in range(0, len(row), 256):
            part = row[start:start + 256]
            if seen:
                seen(tile_path(level, start // 256, len(part)), b"".join(part))
            if len(part) == 256:
                above.append(fold(part))
            else:
                # What is not complete on this level stands right of all that is.
                tail = [fold(part + tail)]
        level, row = level + 1, above
    return tail[0] if tail else hashlib.sha256(b"").digest()


def root_of_proof(index, size, leaf, hashes):
    at, last, root = index, size - 1, leaf_hash(leaf)
    if not 0 <= at <= last:
        raise Bad("the proof is of a record that the checkpoint does not cover")
    for other in hashes:
        if last == 0:
            raise Bad("the proof has too many hashes")
        if at & 1 or at == last:
            root = node_hash(other, root)
            while at and not at & 1:
                at >>= 1
                last >>= 1
        else:
            root = node_hash(root, other)
        at >>= 1
        last >>= 1
    if last:
        raise Bad("the proof has too few hashes")
    return root


# ---- Ed25519 (RFC 8032), for machines whose openssl cannot ---------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_M1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_M1 % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    k, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - k, z + k, n + m
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def ed25519_holds(key, text, signature):
    a, r = point(key), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, a))
    return not (left[0] * right[2] - right[0] * left[2]) % P and not (left[1] * right[2] - right[1] * left[2]) % P


PEM_HEAD = bytes.fromhex("302a300506032b6570032100")


def openssl_holds(key, text, signature):
    """True or False as openssl says; None if there is none that can."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: os.path.join(folder, name) for name in ("pub.pem", "body", "sig")}
        pem = base64.encodebytes(PEM_HEAD + key).decode()
        with open(files["pub.pem"], "w") as out:
            out.write("-----BEGIN PUBLIC KEY-----\n" + pem + "-----END PUBLIC KEY-----\n")
        for name, data in (("body", text), ("sig", signature)):
            with open(files[name], "wb") as out:
                out.write(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", files["pub.pem"], "-rawin",
                   "-in", files["body"], "-sigfile", files["sig"]]
        try:
            ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except OSError:
            return None
        said = ran.stdout.decode("utf-8", "replace")
        if ran.returncode == 0 and "Verified Successfully" in said:
            return True
        return False if "Verification Failure" in said else None


# ---- C2SP signed notes ---------------------------------------------------------------------------------------------

def read_key(text):
    """name, id, public key of `name+id+base64`."""
    try:
        name, key_id, data = text.strip().split("+", 2)
        data = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        raise Bad("the key cannot be read: " + text.strip())
    if len(data) != 33 or data[0] != 1:
        raise Bad("the key is not an Ed25519 key: " + name)
    expect = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if expect.hex() != key_id:
        raise Bad("the id of the key is not its own: " + name)
    return name, expect, data[1:]


def signed_text(note, key, what="checkpoint"):
    """The text of a note that `key` signed, and what checked the signature."""
    text, gap, signatures = note.partition("\n\n")
    if not gap:
        raise Bad("the %s has no signature" % what)
    text += "\n"
    name, key_id, public = key
    for line in signatures.splitlines():
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or parts[1] != name:
            continue
        try:
            data = base64.b64decode(parts[2], validate=True)
        except (ValueError, binascii.Error):
            continue
        if data[:4] != key_id:
            continue
        own = ed25519_holds(public, text.encode(), data[4:])
        other = openssl_holds(public, text.encode(), data[4:])
        if not own or other is False:
            raise Bad("the signature of the %s does not fit its text and the key %s" % (what, name))
        return text, "openssl and Python" if other else "Python"
    raise Bad("the %s has no signature of the key %s" % (what, name))


def read_note(note, key):
    """size and root of a checkpoint that `key` signed, and what checked the signature."""
    text, by = signed_text(note, key)
    lines = text.splitlines()
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (ValueError, IndexError, binascii.Error):
        raise Bad("the checkpoint cannot be read")
    if len(lines) != 3 or not origin.startswith("watchpost.local/audit/") or len(root) != 32 or size < 0:
        raise Bad("the checkpoint is not one of an audit trail")
    return origin.rsplit("/", 1)[1], size, root, by


class Keys:
    """The keys that the log tells of, in the order of its records."""

    def __init__(self, log, trusted):
        self.log, self.known, self.revoked = log, {}, {}
        # Those to which the trusted key leads, each vouched for by the one before.
        self.led_to = {trusted}

    def take(self, leaf):
        action, facts = leaf["b"]["a"], leaf["b"].get("f", {})
        if action == "key.revoke":
            self.revoked.setdefault(facts["vkey"], leaf["s"])
        if action != "key.add":
            return
        vkey, before = facts["vkey"], facts.get("after")
        if before is not None:
            if before not in self.known or before in self.revoked or not self.vouches(before, vkey, facts["proof"]):
                raise Bad("record %d: the key %s does not vouch for the key %s"
                          % (leaf["s"], before.split("+")[0], vkey.split("+")[0]))
            if before in self.led_to:
                self.led_to.add(vkey)
        self.known.setdefault(vkey, leaf["s"])

    def vouches(self, before, vkey, proof):
        _, key_id, public = read_key(before)
        data = base64.b64decode(proof, validate=True)
        text = "watchpost.local/audit/%s\nnext key\n%s\n" % (self.log, vkey)
        return data[:4] == key_id and ed25519_holds(public, text.encode(), data[4:])

    def check(self, vkey, size, trusted):
        name = vkey.split("+")[0]
        if vkey not in self.known:
            raise Bad("the log does not know the key that signed: there is no key.add record of " + name)
        if self.known[vkey] >= size:
            raise Bad("the key %s was added after the checkpoint" % name)
        if self.revoked.get(vkey, size) < size:
            raise Bad("the checkpoint is signed by %s, which was revoked by record %d" % (name, self.revoked[vkey]))
        if trusted is not None and vkey not in self.led_to:
            raise Bad("the checkpoint is signed by %s, to which the key that you trust does not lead: %s" % (name, vkey))
        if trusted is not None and vkey != trusted:
            print("the key that you trust leads to the one that signed: %s" % name)


class Times:
    """Times that go back: a clock was wrong, or set right. No fault of the log; it is told."""

    def __init__(self):
        self.latest, self.first, self.n, self.most = None, None, 0, 0
        self.purges = []

    def take(self, leaf):
        try:
            at = datetime.datetime.fromisoformat(leaf["t"].replace("Z", "+00:00"))
            back = (self.latest[1] - at).total_seconds() if self.latest else -1
        except (ValueError, TypeError, AttributeError):
            return
        for purge in [purge for purge in self.purges if (purge[1] - at).total_seconds() > 86400]:
            print("warning: record %d purged by a clock that was ahead: it is of %s, and record %d after it of %s"
                  % (purge[0], purge[1].isoformat(), leaf["s"], at.isoformat()))
            self.purges.remove(purge)
        if leaf["b"]["a"] == "erasure.done" and "class" in leaf["b"].get("f", {}):
            self.purges.append((leaf["s"], at))
        if back < 0:
            self.latest = (leaf["s"], at)
        elif back > 5:
            self.first = self.first or ((leaf["s"], at), self.latest)
            self.n, self.most = self.n + 1, max(self.most, back)

    def tell(self):
        if self.first:
            (seq, at), (before, then) = self.first
            print("warning: record %d is of %s, and record %d before it of %s: a clock was wrong, or was set back;"
                  % (seq, at.isoformat(), before, then.isoformat()))
            print("  records earlier than one before them: %d, by up to %d seconds" % (self.n, self.most))


class Erasures:
    """What the log says was erased: the only reason for which a record may be shown without its content."""

    def __init__(self):
        # Keys with the number of the erasure; ranges of records before it, which may overlap; the last of all ranges so far.
        self.keys, self.ranges, self.reach = {}, [], []

    def take(self, leaf):
        if leaf["b"]["a"] != "erasure.done":
            return
        facts = leaf["b"].get("f", {})
        if "key" in facts:
            self.keys[facts["key"]] = leaf["s"]
        for text in filter(None, facts.get("records", "").split(",")):
            first, _, last = text.partition("-")
            self.ranges.append((int(first), min(int(last or first), leaf["s"] - 1)))

    def explain(self, leaf):
        """Does a later record say why the content of this one is gone?"""
        if len(self.reach) < len(self.ranges):
            self.ranges.sort()
            self.reach = list(itertools.accumulate((last for _, last in self.ranges), max))
        seq = leaf["s"]
        at = bisect.bisect_right(self.ranges, (seq, float("inf")))
        return at > 0 and self.reach[at - 1] >= seq or self.keys.get(leaf["b"]["k"], -1) > seq


class Apart:
    """Records of which the log says that their own writers sealed nothing that opens, or told of a key what does not fit."""

    def __init__(self):
        self.known = {}

    def take(self, leaf, hashes):
        facts = leaf["b"].get("f", {})
        if leaf["b"]["a"] != "audit_set_apart" or leaf["b"]["r"] != "success" or "record" not in facts:
            return
        seq = facts["record"]
        if 0 <= seq < leaf["s"] and hashes[seq].hex() == facts["leaf"]:
            self.known.setdefault(seq, set()).update(facts["what"].split(","))

    def of(self, seq, *what):
        return not self.known.get(seq, set()).isdisjoint(what)


# ---- What a leaf commits to ----------------------------------------------------------------------------------------

def rotate(value, bits):
    return ((value << bits) & 0xFFFFFFFF) | (value >> (32 - bits))


def chacha20(key, nonce, data):
    """ChaCha20 of RFC 8439 from block 1 on, as ChaCha20-Poly1305 encrypts."""
    out = bytearray()
    constant = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
    for block in range(0, len(data), 64):
        start = list(constant + struct.unpack("<8L", key) + (1 + block // 64,) + struct.unpack("<3L", nonce))
        x = start[:]
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                x[a] = (x[a] + x[b]) & 0xFFFFFFFF
                x[d] = rotate(x[d] ^ x[a], 16)
                x[c] = (x[c] + x[d]) & 0xFFFFFFFF
                x[b] = rotate(x[b] ^ x[c], 12)
                x[a] = (x[a] + x[b]) & 0xFFFFFFFF
                x[d] = rotate(x[d] ^ x[a], 8)
                x[c] = (x[c] + x[d]) & 0xFFFFFFFF
                x[b] = rotate(x[b] ^ x[c], 7)
        stream = struct.pack("<16L", *((x[i] + start[i]) & 0xFFFFFFFF for i in range(16)))
        out += bytes(a ^ b for a, b in zip(data[block:block + 64], stream))
    return bytes(out)


# A line of records.jsonl as it is written: these members in this order, and nothing else.
RECORD = re.compile(r'\{"key":(?:null|"([0-9a-f]{64})"),"nonce":(?:null|"([0-9a-f]{48})"),"payload":(.*),'
                    r'"sealed":(?:null|"([A-Za-z0-9+/=]*)"),"seq":(0|[1-9][0-9]*)\}')


def read_record(line, before):
    """seq, key, nonce, payload and what is sealed, as texts."""
    found = RECORD.fullmatch(line)
    if found is None:
        raise Bad("a record cannot be read" if before is None else "the record behind record %d cannot be read" % before)
    key, nonce, payload, sealed, seq = found.groups()
    if (nonce is None) != (sealed is None) or (key is not None and sealed is None) or (key is None and payload != "null"):
        raise Bad("record %s cannot be read" % seq)
    return int(seq), key, nonce, payload, sealed


def check_record(record, leaf, opened):
    """A record against its leaf: commitment, and what is sealed against what is said. Does it say anything?"""
    seq, key, nonce, payload, text = record
    if text is None:
        return False
    nonce, sealed = bytes.fromhex(nonce), base64.b64decode(text, validate=True)
    if base64.b64encode(sealed).decode() != text:
        raise Bad("record %d: what is sealed cannot be read" % seq)
    if hashlib.sha256(b"\x02" + nonce + sealed).hexdigest() != leaf["b"]["c"]:
        raise Bad("record %d: what is sealed is not what the leaf commits to" % seq)
    if key is None:
        return False
    if opened:
        if len(sealed) < 16:
            raise Bad("record %d: what is sealed is too short" % seq)
        plain = chacha20(bytes.fromhex(key), b"\0\0\0\0" + nonce[16:], sealed[:-16])
        try:
            json.loads(plain.decode())
        except ValueError:
            raise Bad("record %d: its key does not open it" % seq)
        if plain != payload.encode():
            raise Bad("record %d: what the export says is not what is sealed" % seq)
    return True


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# What an export has the leaves of also from outside of its period.
ASIDE = ("key.add", "key.revoke", "erasure.done", "audit_set_apart")


# ---- The bundle ----------------------------------------------------------------------------------------------------

def check_sums(folder):
    listed = set()
    with open(os.path.join(folder, "SHA256SUMS"), encoding="utf-8") as lines:
        for line in lines:
            digest, _, name = line.rstrip("\n").partition("  ")
            if any(part in ("", ".", "..") for part in name.split("/")):
                raise Bad("SHA256SUMS names %r, which is not in the folder" % name)
            listed.add(name)
            actual = hashlib.sha256()
            with open(os.path.join(folder, name), "rb") as data:
                for piece in iter(lambda: data.read(1 << 20), b""):
                    actual.update(piece)
            if actual.hexdigest() != digest:
                raise Bad("%s is not the file that SHA256SUMS names" % name)
    missing = {"checkpoint", "log.vkey", "hashes", "leaves.jsonl", "records.jsonl"} - listed
    if missing:
        raise Bad("SHA256SUMS does not name " + ", ".join(sorted(missing)))


def lines_of(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield line.rstrip("\n")


class Tiles:
    """The files of the tiles, each of which has to be what the hashes make."""

    def __init__(self, folder):
        self.folder, self.n = folder, 0

    def check(self, path, content):
        try:
            with open(os.path.join(self.folder, path), "rb") as data:
                found = data.read()
        except OSError:
            raise Bad(path + " is not there")
        if found != content:
            raise Bad(path + " is not the tile that the hashes make")
        self.n += 1


def check_stamps(folder, hashes, keys, trusted, authority):
    """The time stamps of earlier checkpoints, if there are some: are they of this log? Who made them is for openssl, and
    one that it believes will do."""
    roots, good, problems = {}, 0, []
    for n in range(1, 1000):
        name = "timestamp" if n == 1 else "timestamp-%d" % n
        files = {kind: os.path.join(folder, "%s.%s" % (name, kind)) for kind in ("note", "tsq", "tsr")}
        if not any(os.path.exists(path) for path in files.values()):
            break
        size = check_stamp(name, files, hashes, roots, keys, trusted)
        if authority is None:
            print("a time stamp of the checkpoint of %d records; who made it was not checked: --tsa CERTIFICATES" % size)
            continue
        problem = openssl_doubts(files, authority)
        if problem is None:
            good += 1
            print("the time stamp of the checkpoint of %d records holds (checked by openssl)" % size)
        else:
            problems.append(problem)
            print("%s.tsr is no time stamp of this authority: %s" % (name, problem))
    if problems and not good:
        raise Bad("openssl ts -verify believes no time stamp: " + problems[0])


def check_stamp(name, files, hashes, roots, keys, trusted):
    """A time stamp is about a checkpoint of this log; of how many records."""
    read = {}
    for kind, path in files.items():
        try:
            with open(path, "rb") as data:
                read[kind] = data.read()
        except OSError:
            raise Bad("%s.%s is not there" % (name, kind))
    note = read["note"].decode()
    signed = [line.split(" ")[1] for line in note.splitlines() if line.startswith("\u2014 ") and line.count(" ") == 2]
    vkeys = [vkey for vkey in keys.known if vkey.split("+")[0] in signed]
    if not vkeys:
        raise Bad("the log does not know the key that signed %s.note" % name)
    log, size, root, _ = read_note(note, read_key(vkeys[0]))
    keys.check(vkeys[0], size, trusted)
    if size not in roots and size <= len(hashes):
        roots[size] = root_of(hashes[:size])
    if log != keys.log or roots.get(size) != root:
        raise Bad("%s.note is not a checkpoint of this log" % name)
    digest = b"\x04\x20" + hashlib.sha256(read["note"]).digest()
    for kind in ("tsq", "tsr"):
        if digest not in read[kind]:
            raise Bad("%s.%s is not about %s.note" % (name, kind, name))
    return size


def openssl_doubts(files, authority):
    """Why openssl does not believe a time stamp; None if it does."""
    for asked in (["-queryfile", files["tsq"]], ["-data", files["note"]]):
        command = ["openssl", "ts", "-verify", "-in", files["tsr"], "-CAfile", authority] + asked
        try:
            ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except OSError:
            raise Bad("the time stamp was not checked: there is no openssl")
        if ran.returncode != 0:
            return ran.stdout.decode("utf-8", "replace").strip().replace("\n", "; ")
    return None


def check_complete(folder, key, log, size, root, records, leaves):
    """Is all there that the export is meant to show? Of one that nobody signed for, everything has to be."""
    first, end = records
    shows = "%d records from %d on and %d leaves of a log of %d" % (end - first, first, leaves, size)
    path = os.path.join(folder, "export.note")
    if not os.path.exists(path):
        if (first, end, leaves) != (0, size, size):
            raise Bad("here are %s, and nothing signed says that no more is meant to be (export.note)" % shows)
        return
    with open(path, encoding="utf-8", newline="") as text:
        said, _ = signed_text(text.read(), key, "export.note")
    if said != "watchpost.local/audit/%s/export\n%d\n%s\n%d %d\n%d\n" % (
            log, size, base64.b64encode(root).decode(), first, end, leaves):
        raise Bad("export.note was signed for something else than what is here: " + shows)
    print("%s: that is what the export was signed for" % shows)


def check_bundle(folder, trusted, opened, authority):
    check_sums(folder)
    with open(os.path.join(folder, "log.vkey"), encoding="utf-8") as text:
        vkey = text.read().strip()
    key = read_key(vkey)
    pem = os.path.join(folder, "pub.pem")
    if os.path.exists(pem):
        body = base64.b64encode(PEM_HEAD + key[2]).decode()
        with open(pem, encoding="utf-8", newline="") as text:
            armoured = text.read()
        if armoured != "-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----\n":
            raise Bad("pub.pem is not the key of log.vkey")
    with open(os.path.join(folder, "checkpoint"), encoding="utf-8", newline="") as text:
        log, size, root, by = read_note(text.read(), key)
    print("checkpoint of %d records, signed by %s (checked by %s)" % (size, key[0], by))

    hashes = []
    for line in lines_of(folder, "hashes"):
        node = bytes.fromhex(line)
        if len(node) != 32 or node.hex() != line:
            raise Bad("line %d of hashes is no hash" % (len(hashes) + 1))
        hashes.append(node)
    if len(hashes) != size:
        raise Bad("there are %d hashes, the checkpoint has %d records" % (len(hashes), size))
    tiles = Tiles(folder)
    if root_of(hashes, tiles.check) != root:
        raise Bad("ROOT MISMATCH: the hashes do not lead to the root of the checkpoint")
    print("the %d hashes and %d tiles lead to the root %s" % (size, tiles.n, base64.b64encode(root).decode()))

    leaves, keys, erasures, apart, before = {}, Keys(log, trusted), Erasures(), Apart(), -1
    times = Times()
    for line in lines_of(folder, "leaves.jsonl"):
        data = line.encode()
        leaf = json.loads(line)
        seq = leaf["s"]
        if canonical(leaf) != data:
            raise Bad("the leaf of record %d is not canonical" % seq)
        if seq <= before or seq >= size:
            raise Bad("the leaf of record %d is out of order" % seq)
        if hashes[seq] != leaf_hash(data):
            raise Bad("record %d: the leaf does not have the hash that is in the tree (%s)"
                      % (seq, tile_path(0, seq // 256, min(256, size - seq // 256 * 256))))
        if leaf["b"]["l"] != log:
            raise Bad("record %d: the leaf is of another log" % seq)
        erasures.take(leaf)
        apart.take(leaf, hashes)
        times.take(leaf)
        leaves[seq], before = leaf, seq
    for seq, leaf in leaves.items():
        try:
            keys.take(leaf)
        except (Bad, ValueError, KeyError, TypeError, AttributeError):
            if not apart.of(seq, "key", "facts"):
                raise
    keys.check(vkey, size, trusted)
    times.tell()
    print("%d leaves have the hashes that are in the tree" % len(leaves))
    if len(leaves) < size:
        print("the leaves of the other %d are not here: what they say of keys and erasures was not looked at"
              % (size - len(leaves)))

    check_stamps(folder, hashes, keys, trusted, authority)

    shown, closed, before = set(), [], None
    for line in lines_of(folder, "records.jsonl"):
        record = read_record(line, before)
        seq = record[0]
        if before is not None and seq != before + 1:
            raise Bad("record %d is missing" % (before + 1))
        if seq not in leaves:
            raise Bad("record %d has no leaf" % seq)
        if not check_record(record, leaves[seq], opened):
            closed.append(seq)
        shown.add(seq)
        before = seq
    for seq, leaf in leaves.items():
        if seq not in shown and leaf["b"]["a"] not in ASIDE:
            raise Bad("record %d is missing" % seq)
    unread = [seq for seq in closed if not erasures.explain(leaves[seq])]
    for seq in unread:
        if not apart.of(seq, "sealed"):
            raise Bad("record %d is not shown, and nothing in the log says why" % seq)
    check_complete(folder, key, log, size, root, (min(shown), max(shown) + 1) if shown else (0, 0), len(leaves))
    said = "are what is sealed in the log" if opened else "are committed to by their leaves; they were not opened"
    if shown:
        print("the %d records from %d to %d %s" % (len(shown), min(shown), max(shown), said))
    else:
        print("no record is shown")
    if len(closed) > len(unread):
        print("%d of them were erased, as the log says: that they were there is proved, what they said is gone"
              % (len(closed) - len(unread)))
    if unread:
        print("%d of them do not open, and the log sets them apart: their writers sealed nothing that can be read"
              % len(unread))


def signer_of(note, trusted, folder):
    """The trusted key, or the one of the bundle beside it that signed the note: whether it is led to is checked then."""
    signed = [line.split(" ")[1] for line in note.splitlines() if line.startswith("\u2014 ") and line.count(" ") == 2]
    path = os.path.join(folder, "leaves.jsonl")
    if trusted.split("+")[0] in signed or not os.path.exists(path):
        return trusted
    for line in lines_of(folder, "leaves.jsonl"):
        leaf = json.loads(line)["b"]
        if leaf["a"] == "key.add" and leaf["f"]["vkey"].split("+")[0] in signed:
            return leaf["f"]["vkey"]
    return trusted


def check_proof(path, folder, trusted):
    with open(path, encoding="utf-8", newline="") as text:
        proof = text.read()
    head, gap, note = proof.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Bad("this is no tlog-proof")
    if trusted is None:
        with open(os.path.join(folder, "log.vkey"), encoding="utf-8") as text:
            trusted = text.read().strip()
    leaf, index, hashes = None, None, []
    for line in lines[1:]:
        if line.startswith("extra "):
            leaf = base64.b64decode(line[6:], validate=True)
        elif line.startswith("index "):
            index = int(line[6:])
        else:
            hashes.append(base64.b64decode(line, validate=True))
    if leaf is None or index is None:
        raise Bad("the proof has no leaf or no index")
    signer = signer_of(note, trusted, folder)
    log, size, root, by = read_note(note, read_key(signer))
    if signer != trusted:
        keys = Keys(log, trusted)
        for line in lines_of(folder, "leaves.jsonl"):
            keys.take(json.loads(line))
        keys.check(signer, size, trusted)
    if root_of_proof(index, size, leaf, hashes) != root:
        raise Bad("ROOT MISMATCH: the proof does not lead to the root of the checkpoint")
    if json.loads(leaf.decode())["s"] != index:
        raise Bad("the leaf is of another record")
    print("record %d is in the log of %d records (signature checked by %s):" % (index, size, by))
    print(leaf.decode())


def main(words):
    trusted, proof, opened, folder, authority = None, None, True, None, None
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            print(__doc__)
            return 0
        if word == "--leaves-only":
            opened = False
        elif word in ("--key", "--proof", "--tsa") and rest:
            if word == "--key":
                trusted = rest.pop(0)
            elif word == "--tsa":
                authority = rest.pop(0)
            else:
                proof = rest.pop(0)
        elif not word.startswith("-") and folder is None:
            folder = word
        else:
            print(__doc__, file=sys.stderr)
            return 2
    folder = folder or os.path.dirname(os.path.abspath(__file__))
    try:
        if proof is not None:
            check_proof(proof, folder, trusted)
        else:
            check_bundle(folder, trusted, opened, authority)
    except Bad as problem:
        print("DOES NOT HOLD: %s" % problem)
        return 1
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, binascii.Error) as problem:
        print("DOES NOT HOLD: the files cannot be read as they should be: %r" % problem)
        return 1
    if trusted is None:
        print("HOLDS, if you trust the key in log.vkey: compare it with one that you got another way")
    else:
        print("HOLDS")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
