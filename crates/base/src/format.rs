//! How numbers, counts and sizes are written, the same on every screen and in every report.

/// A number for people: up to `digits` significant digits, no trailing zeros, `e` notation for
/// the very large and very small, and the empty string for a missing value (`NaN`).
pub fn number(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return String::new();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let digits = digits.max(1);
    // Rounding to the digits first decides the exponent: 9.99 to two digits is 10, not 9.99e0.
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-5..15).contains(&exponent) {
        return format!("{}e{exponent}", trim_zeros(mantissa));
    }
    let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
    trim_zeros(&format!("{value:.decimals$}")).to_owned()
}

/// A whole number with thin groups of three digits, such as `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in bytes with a decimal unit (1 kB = 1000 B), such as `4.6 MB`.
pub fn bytes(size_bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if size_bytes < 1000 {
        return format!("{size_bytes} B");
    }
    let mut value = size_bytes as f64 / 1000.0;
    let mut unit = 0;
    // 999.95 kB would be written as 1000.0 kB, so it moves to the next unit already.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let written = [1.0, 0.1 + 0.2, 123_456.789, 1e-7, 2.5e20, -0.5, 0.0, 9.999_99].map(|v| number(v, 4));
        assert_eq!(written, ["1", "0.3", "123457", "1e-7", "2.5e20", "-0.5", "0", "10"]);
        assert_eq!(number(f64::NAN, 4), "");
    }

    #[test]
    fn counts_and_sizes_have_groups_and_units() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 999, 1000, 999_999, 4_600_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "1.0 MB", "4.6 MB"]
        );
    }
}
