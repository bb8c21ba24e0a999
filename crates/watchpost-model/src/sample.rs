//! The sample that anybody can draw again.
//!
//! The population is numbered from 0 in the order that its question states. `SHA-256(seed || i)` for i = 0, 1, 2, ...
//! (i as 8 bytes, most significant first) gives a number from its first 8 bytes; numbers at or above the largest
//! multiple of the population that fits into 64 bits are skipped, the rest of the division by the population is a
//! position, and positions that came before are skipped, until there are enough. Nobody can pick favourites, because
//! the seed holds the root of the audit log.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

/// The seed of a control's sample: SHA-256 over its parts, each followed by a line feed.
///
/// `printf '%s\n' ROOT FRAMEWORK CONTROL CHECK FROM TO | sha256sum` gives the same.
#[must_use]
pub fn seed(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().into()
}

/// How many of a population are drawn: usual practice of auditors, by how often something happens. Never more than there
/// are.
#[must_use]
pub const fn size(population: u64) -> u64 {
    match population {
        0 | 1 => population,
        2..=4 => 2,
        5..=12 => 5,
        13 | 14 => population,
        15..=52 => 15,
        53..=365 => 25,
        366..=10_000 => 40,
        _ => 60,
    }
}

/// The positions of the sample, ascending, each below `population`.
#[must_use]
pub fn draw(seed: &[u8; 32], population: u64) -> Vec<u64> {
    let wanted = size(population);
    let mut drawn = BTreeSet::new();
    if population == 0 {
        return Vec::new();
    }
    let limit = u64::MAX - u64::MAX % population;
    for i in 0_u64.. {
        if drawn.len() as u64 == wanted {
            break;
        }
        let mut hash = Sha256::new();
        hash.update(seed);
        hash.update(i.to_be_bytes());
        let bytes: [u8; 32] = hash.finalize().into();
        let number = u64::from_be_bytes(bytes[..8].try_into().expect("eight of thirty-two bytes"));
        if number < limit {
            drawn.insert(number % population);
        }
    }
    drawn.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{draw, seed, size};

    #[test]
    fn the_sample_is_the_same_again_and_another_for_another_seed() {
        let one = seed(&["root", "soc2", "CC7.2", "1", "a", "b"]);
        for population in [0, 1, 2, 5, 12, 30, 100, 5_000, 10_000_000, u64::MAX] {
            let sample = draw(&one, population);
            assert_eq!(sample.len() as u64, size(population), "of {population}");
            assert!(sample.iter().all(|position| *position < population), "inside {population}");
            assert!(sample.windows(2).all(|pair| pair[0] < pair[1]), "ascending and distinct");
            assert_eq!(sample, draw(&one, population), "drawn again");
        }
        for population in 0..=400 {
            assert_eq!(draw(&one, population).len() as u64, size(population), "of {population}");
        }
        let other = seed(&["root", "soc2", "CC7.2", "2", "a", "b"]);
        assert_ne!(draw(&one, 5_000), draw(&other, 5_000));
    }

    #[test]
    fn the_seed_is_what_sha256sum_says() {
        // printf '%s\n' root soc2 | sha256sum
        let text = seed(&["root", "soc2"]).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(text, "a74be355b3b0165ec0a10ce6e9272022cc04e0bdd3c49d54263e01cfe3674583");
    }

    #[test]
    fn every_position_is_drawn_about_equally_often() {
        let mut hits = [0_u32; 10];
        for n in 0..2_000_u32 {
            for position in draw(&seed(&[&n.to_string()]), 10) {
                hits[usize::try_from(position).expect("small")] += 1;
            }
        }
        // 2,000 draws of 5 out of 10: 1,000 each, standard deviation 22.
        assert!(hits.iter().all(|n| (880..=1_120).contains(n)), "{hits:?}");
    }
}
