//! Streams within payloads.

use std::borrow::Cow;

use super::digest::Sum;
use crate::payload::length;
use crate::payload::list_pack;
use crate::payload::string;
use crate::payload::take;
use crate::typed::ValueKind;

/// Of an entry of a stream: it was removed, and it has the fields of the first one of its pack.
const REMOVED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// A stream: its entries, its last id, and its groups with what each has handed out. What later versions count besides,
/// and when a consumer was seen, is no part of the value.
pub(super) fn stream(rest: &mut &[u8], version: u8) -> Option<Sum> {
    let mut sum = Sum::new(ValueKind::Stream);
    for _ in 0..length(rest)? {
        let first = string(rest)?;
        entries(&mut sum, &first, &list_pack(&string(rest)?)?)?;
    }
    length(rest)?; // How many entries there are.
    let (ms, seq) = (length(rest)?, length(rest)?);
    sum.add(&[b"last", format!("{ms}-{seq}").as_bytes()]);
    if version > 1 {
        // First id, highest one that was removed, and how many there ever were.
        for _ in 0..5 {
            length(rest)?;
        }
    }
    for _ in 0..length(rest)? {
        let name = string(rest)?;
        let (ms, seq) = (length(rest)?, length(rest)?);
        sum.add(&[b"group", &name, format!("{ms}-{seq}").as_bytes()]);
        if version > 1 {
            length(rest)?; // How many were read, which is an estimate.
        }
        for _ in 0..length(rest)? {
            let id = take(rest, 16)?;
            take(rest, 8)?; // When it was handed out, and how often.
            length(rest)?;
            sum.add(&[b"pending", &name, id]);
        }
        for _ in 0..length(rest)? {
            let consumer = string(rest)?;
            take(rest, if version > 2 { 16 } else { 8 })?; // When it was seen, and was busy.
            sum.add(&[b"consumer", &name, &consumer]);
            for _ in 0..length(rest)? {
                let id = take(rest, 16)?;
                sum.add(&[b"held", &name, &consumer, id]);
            }
        }
    }
    Some(sum)
}

/// The entries of one pack, whose ids count from `first`.
fn entries(sum: &mut Sum, first: &[u8], items: &[Cow<'_, [u8]>]) -> Option<()> {
    let (ms, seq) = first.split_at_checked(8)?;
    let (ms, seq) = (u64::from_be_bytes(ms.try_into().ok()?), u64::from_be_bytes(seq.try_into().ok()?));
    let number = |item: Option<&Cow<'_, [u8]>>| -> Option<i64> {
        std::str::from_utf8(item?).ok()?.parse::<i64>().ok()
    };
    let mut items = items.iter();
    items.next()?; // How many are there, and how many were removed.
    items.next()?;
    let n = usize::try_from(number(items.next())?).ok()?;
    let fields: Vec<&Cow<'_, [u8]>> = items.by_ref().take(n).collect();
    items.next()?; // The end of what all share.
    while let Some(flags) = items.next() {
        let flags = number(Some(flags))?;
        let (ms_on, seq_on) = (number(items.next())?, number(items.next())?);
        let id = format!("{}-{}", ms.wrapping_add_signed(ms_on), seq.wrapping_add_signed(seq_on));
        let mut parts: Vec<&[u8]> = vec![id.as_bytes()];
        if flags & SAME_FIELDS == 0 {
            for _ in 0..number(items.next())? {
                parts.extend([&**items.next()?, &**items.next()?]);
            }
        } else {
            for name in &fields {
                parts.extend([&***name, &**items.next()?]);
            }
        }
        items.next()?; // Of how many parts it was, for reading backwards.
        if flags & REMOVED == 0 {
            sum.add(&parts);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::backup::digest::ValueDigest;

    // `DUMP` of the same values by 6.2.14, 7.0.15 and 8.0.2.
    const HASH: &[&str] = &[
        "0dc34060409604960000005720031f140000016e03feff03016903fd02016d03c0ff0f04016f03f0c063ff0501700308f0f8\
         ff7f05017103e0202b0080200303000a0176200c031a711802600c1172030361626305017403fe64030175033c79e0310001\
         79ff09002d681b435d94cf65",
        "10c34058409014900000001400816e02dfff028169020c01816d02cf200a126f02f2c063ff04817002f2f8ff7f04817102f4\
         2029008020030300098176200c031a711802600c10720283616263048174026401817502bc79e03200013dff0a00f959b5ed\
         c4fd8646",
        "10c34058409014900000001400816e02dfff028169020c01816d02cf200a126f02f2c063ff04817002f2f8ff7f04817102f4\
         2029008020030300098176200c031a711802600c10720283616263048174026401817502bc79e03200013dff0c00322f812d\
         3ed7180f",
    ];
    const SCORES: &[&str] = &[
        "0cc33a404304430000003d20031d0a0000016203042d322e3506016103f202c02c0104f40201640317312e30e005000e3165\
         2b3330301901630303696e66ff09007c3dc07790bae360",
        "11c3353e1f3e0000000a00816202842d322e35058161020101c12c02030181640297312e30e005000f31652b333030188163\
         0283696e6604ff0a00847c45b9f30d370b",
        "11c3353e1f3e0000000a00816202842d322e35058161020101c12c02030181640297312e30e005000f31652b333030188163\
         0283696e6604ff0c004f0a71790927a942",
    ];
    const LIST: &[&str] = &[
        "0e01c33041521e5201000022000000060000016103f202c0d4fe04f070110105e0001a7118022019030a412c78e0ff00e019\
         000178ff09007f9c7273eeb9a88b",
        "120102c32b414e1f4e01000006008161020101ded402f270110104f4001a71180200000009e12c78e0ff00e01a000202aeff\
         0a001d67c779ab33f1b1",
        "120102c32b414e1f4e01000006008161020101ded402f270110104f4001a71180200000009e12c78e0ff00e01a000202aeff\
         0c00d611f3b951196ff8",
    ];
    const STREAM: &[&str] = &[
        "0f01100000018bcfe568010000000000000001c34075408c158c0000002b00050101010201847479706505816e0200200c00\
         0020010a856c6f67696e06c3e8020520114000a01101c7d02011000320130002c01101cbb82011000220130003c01101cfa0\
         601100042001a03504f1881303052056030801dfff204e10856f7468657206856669656c64060601ff05810000018bcfe568\
         0900020167810000018bcfe5680404020000018bcfe568020000000000000002a100f104a2010000010000018bcfe5680400\
         00000000000004a100f104a201000001010163a100f104a2010000020000018bcfe5680200000000000000020000018bcfe5\
         680400000000000000040469646c65810000018bcfe568090000000900c739c1922558445b",
        "1301100000018bcfe568010000000000000001c34075408c158c0000002b00050101010201847479706505816e0200200c00\
         0020010a856c6f67696e06c3e8020520114000a01101c7d02011000320130002c01101cbb82011000220130003c01101cfa0\
         601100042001a03504f1881303052056030801dfff204e10856f7468657206856669656c64060601ff05810000018bcfe568\
         0900810000018bcfe5680101000005020167810000018bcfe568040481ffffffffffffffff020000018bcfe5680200000000\
         00000002a100f104a2010000010000018bcfe568040000000000000004a100f104a201000001010163a100f104a201000002\
         0000018bcfe5680200000000000000020000018bcfe5680400000000000000040469646c65810000018bcfe5680900050000\
         0a007f689e1120270bb9",
        "1501100000018bcfe568010000000000000001c34075408c158c0000002b00050101010201847479706505816e0200200c00\
         0020010a856c6f67696e06c3e8020520114000a01101c7d02011000320130002c01101cbb82011000220130003c01101cfa0\
         601100042001a03504f1881303052056030801dfff204e10856f7468657206856669656c64060601ff05810000018bcfe568\
         0900810000018bcfe5680101000005020167810000018bcfe568040481ffffffffffffffff020000018bcfe5680200000000\
         00000002a100f104a2010000010000018bcfe568040000000000000004a100f104a201000001010163a100f104a2010000a1\
         00f104a2010000020000018bcfe5680200000000000000020000018bcfe5680400000000000000040469646c65810000018b\
         cfe56809000500000c00ff9ae53c312a046f",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn a_value_is_the_same_in_the_encoding_of_each_version() {
        let mut all = Vec::new();
        for kind in [HASH, SCORES, LIST, STREAM] {
            let digests: Vec<ValueDigest> =
                kind.iter().map(|hex| ValueDigest::of_dump(&bytes(hex))).collect();
            assert!(digests.len() > 1 && digests.iter().all(|digest| !digest.opaque), "{digests:?}");
            assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
            all.push(digests[0]);
        }
        assert!(all.iter().enumerate().all(|(n, one)| !all[..n].contains(one)), "{all:?}");
    }

    #[test]
    fn another_value_differs_and_a_damaged_one_is_not_read() {
        for kind in [HASH, SCORES, LIST, STREAM] {
            let whole = bytes(kind[0]);
            let digest = ValueDigest::of_dump(&whole);
            for cut in 1..whole.len() - 10 {
                let damaged = [&whole[..cut], &whole[whole.len() - 10..]].concat();
                assert_ne!(ValueDigest::of_dump(&damaged), digest, "cut off at {cut}");
            }
        }
        // `-1` of the first field becomes `-2`.
        let mut other = bytes(HASH[0]);
        let at = other.windows(3).position(|part| part == [b'n', 3, 0xfe]).expect("it is there in plain");
        other[at + 3] = 0xfe;
        assert_ne!(ValueDigest::of_dump(&other), ValueDigest::of_dump(&bytes(HASH[0])));
        assert!(!ValueDigest::of_dump(&other).opaque);
    }
}
