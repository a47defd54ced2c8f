//! Moments as clients write them: ISO 8601 dates with an optional time of day and zone, as
//! milliseconds since 1970 in UTC, which is what a graph takes.

/// `2026-11-23`, `2026-11-23 08:05`, `2026-11-23T08:05:10.25+01:00`; without a zone it is UTC.
pub fn milliseconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let days = days(date)?;
    if rest.is_empty() {
        return Some(days * 86_400_000.0);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    Some(days * 86_400_000.0 + time_of_day(time)? - offset(zone)?)
}

/// Days from 1970-01-01 to `2026-11-23`.
fn days(date: &str) -> Option<f64> {
    let mut parts = date.split('-');
    let (year, month, day) =
        (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=length).contains(&day) || parts.next().is_some() {
        return None;
    }
    let before: i32 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    // Leap days of all years before this one, less those before 1970.
    let last = year - 1;
    let leap_days = last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400) - 477;
    Some(f64::from((year - 1970) * 365 + leap_days + before + day - 1))
}

/// Milliseconds from midnight to `08:05`, `08:05:10` or `08:05:10.25`.
fn time_of_day(time: &str) -> Option<f64> {
    let mut parts = time.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, fraction) = match parts.next() {
        None => (0, 0.0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            let is_digits = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
            // Digits below a millisecond are cut, as the import cuts them.
            let ms: String = fraction.chars().chain("000".chars()).take(3).collect();
            (digits(whole, 2)?, ms.parse::<f64>().ok().filter(|_| is_digits)?)
        }
    };
    let is_time = hour < 24 && minute < 60 && second < 60;
    is_time.then(|| f64::from((hour * 60 + minute) * 60 + second) * 1000.0 + fraction)
}

/// Milliseconds that a zone such as `Z`, `+01:00` or `-0530` is ahead of UTC.
fn offset(zone: &str) -> Option<f64> {
    let Some(sign) = zone.chars().next() else { return Some(0.0) };
    let rest = zone.get(1..)?;
    let minutes = match (sign, rest.len()) {
        ('Z' | 'z', 0) => 0,
        ('+' | '-', 2) => digits(rest, 2)? * 60,
        ('+' | '-', 4) => digits(rest.get(..2)?, 2)? * 60 + digits(rest.get(2..)?, 2)?,
        ('+' | '-', 5) if rest.as_bytes()[2] == b':' => {
            digits(rest.get(..2)?, 2)? * 60 + digits(rest.get(3..)?, 2)?
        }
        _ => return None,
    };
    let minutes = if sign == '-' { -minutes } else { minutes };
    Some(f64::from(minutes) * 60_000.0)
}

fn digits(text: &str, count: usize) -> Option<i32> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn moments_are_read_in_every_form_of_iso_8601_that_clients_send() {
        for (text, ms) in [
            ("1970-01-01", 0.0),
            ("2026-11-23", 1_795_392_000_000.0),
            ("2026-11-23 08:05", 1_795_421_100_000.0),
            ("2026-11-23T08:05:10.123", 1_795_421_110_123.0),
            ("2026-11-23T08:05:10.123456Z", 1_795_421_110_123.0),
            ("2026-11-23T09:05:10+01:00", 1_795_421_110_000.0),
            ("2026-11-23T02:35:10-0530", 1_795_421_110_000.0),
            ("1969-12-31", -86_400_000.0),
            ("2000-02-29", 951_782_400_000.0),
            ("1900-03-01", -2_203_891_200_000.0),
        ] {
            assert_eq!(milliseconds(text), Some(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_not_taken_for_one() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-00-01",
            "2026-01-32",
            "23.11.2026",
            "2026-11-23T",
            "2026-11-23T8:05",
            "2026-11-23T24:00",
            "2026-11-23T08:05:10.",
            "2026-11-23T08:05+1",
            "2026-11-2é",
            "2026-11-23x08:05",
            "1e9",
            "2026-11-23T08:05:10Zé",
        ] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
