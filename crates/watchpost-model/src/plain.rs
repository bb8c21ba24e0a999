//! Numbers as people read them in a sentence.

/// `1,204,000`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What `part` is of `whole`, rounded half up: `8.6 %` for 3 of 35; `0.0 %` of nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    let whole = u128::from(whole.max(1));
    let tenths = (u128::from(part) * 2_000 + whole) / (whole * 2);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Bytes in binary units: `28.8 MiB`.
#[must_use]
pub fn size(mut bytes: f64) -> String {
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if bytes < 1024.0 {
            return if unit == "B" { format!("{bytes:.0} B") } else { format!("{bytes:.1} {unit}") };
        }
        bytes /= 1024.0;
    }
    format!("{bytes:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::{grouped, percent, size};

    #[test]
    fn thousands_are_separated_and_bytes_have_units() {
        assert_eq!([0, 999, 1_000, 1_204_000].map(grouped), ["0", "999", "1,000", "1,204,000"]);
        assert_eq!(
            [0.0, 1023.0, 529_600.0, 30_175_688.0].map(size),
            ["0 B", "1023 B", "517.2 KiB", "28.8 MiB"]
        );
    }

    #[test]
    fn shares_are_rounded_half_up() {
        for (part, whole, expect) in [
            (3, 35, "8.6 %"),
            (1, 3, "33.3 %"),
            (2, 3, "66.7 %"),
            (1, 16, "6.3 %"),
            (1, 2_000, "0.1 %"),
            (1, 2_001, "0.0 %"),
            (5, 5, "100.0 %"),
            (7, 2, "350.0 %"),
            (0, 0, "0.0 %"),
            (u64::MAX, u64::MAX, "100.0 %"),
        ] {
            assert_eq!(percent(part, whole), expect, "{part} of {whole}");
        }
    }
}
