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
    use super::{grouped, size};

    #[test]
    fn thousands_are_separated_and_bytes_have_units() {
        assert_eq!([0, 999, 1_000, 1_204_000].map(grouped), ["0", "999", "1,000", "1,204,000"]);
        assert_eq!(
            [0.0, 1023.0, 529_600.0, 30_175_688.0].map(size),
            ["0 B", "1023 B", "517.2 KiB", "28.8 MiB"]
        );
    }
}
