//! What the values of a column mean, told by their content: looked at on a sample, and given with
//! the share of it that fits. A guess is made only where nearly all values fit. Names of people
//! and postal codes are not guessed: no rule tells them from other words and numbers.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::ColumnProfile;

/// Values that are looked at.
pub(super) const SAMPLE: usize = 2000;
/// The least share of the sample that has to fit.
const MIN_SHARE: f64 = 0.9;
/// Fewer values than this show nothing.
const MIN_VALUES: usize = 10;
/// ISO 3166-1: alpha-2, alpha-3 and English names, one country a line.
const COUNTRIES: &str = include_str!("countries.txt");

/// What the values of a column mean, and how many of those looked at fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Meaning {
    /// What they mean.
    pub semantic: Semantic,
    /// Values looked at.
    pub looked_at: u64,
    /// The share of them that fits, from 0.9 to 1.
    pub share: f64,
}

/// A meaning that values can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Semantic {
    /// Email addresses.
    Email,
    /// Phone numbers.
    Phone,
    /// International bank account numbers (ISO 13616, check digits modulo 97).
    Iban,
    /// Addresses of pages.
    Url,
    /// Countries: ISO 3166-1 alpha-2 or alpha-3 codes, or English names.
    Country,
    /// IP addresses, version 4 or 6.
    Ip,
    /// Universally unique identifiers (RFC 9562).
    Uuid,
    /// Values that name rows: none repeats.
    Id,
    /// Sentences.
    FreeText,
}

impl Semantic {
    /// Every meaning.
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Phone,
        Self::Iban,
        Self::Url,
        Self::Country,
        Self::Ip,
        Self::Uuid,
        Self::Id,
        Self::FreeText,
    ];

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Iban => "iban",
            Self::Url => "url",
            Self::Country => "country",
            Self::Ip => "ip",
            Self::Uuid => "uuid",
            Self::Id => "id",
            Self::FreeText => "free_text",
        }
    }

    /// The meaning for people, in the plural.
    pub fn title(self) -> &'static str {
        match self {
            Self::Email => "email addresses",
            Self::Phone => "phone numbers",
            Self::Iban => "bank account numbers (IBAN)",
            Self::Url => "web addresses",
            Self::Country => "countries",
            Self::Ip => "IP addresses",
            Self::Uuid => "UUIDs",
            Self::Id => "ids",
            Self::FreeText => "free text",
        }
    }

    /// True for values that belong to a person, so that law may limit their use.
    pub fn is_personal(self) -> bool {
        match self {
            Self::Email | Self::Phone | Self::Iban | Self::Ip => true,
            Self::Url | Self::Country | Self::Uuid | Self::Id | Self::FreeText => false,
        }
    }

    /// True if one value can be told to have this meaning by itself.
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Email => is_email(value),
            Self::Phone => is_phone(value),
            Self::Iban => is_iban(value),
            Self::Url => is_url(value),
            Self::Country => is_country(value),
            Self::Ip => value.parse::<IpAddr>().is_ok(),
            Self::Uuid => is_uuid(value),
            Self::Id | Self::FreeText => false,
        }
    }
}

/// What a column means, from its profile and a sample of its texts.
pub(super) fn meaning(profile: &ColumnProfile, sample: &[String]) -> Option<Meaning> {
    let values: Vec<&str> = sample.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    if values.len() >= MIN_VALUES {
        for semantic in Semantic::ALL {
            let fitting = values.iter().filter(|value| semantic.fits(value)).count();
            let share = fitting as f64 / values.len() as f64;
            if share >= MIN_SHARE && is_varied(semantic, &values) {
                return Some(Meaning { semantic, looked_at: values.len() as u64, share });
            }
        }
        // Sentences are often all different, which makes them no ids.
        if is_free_text(&values) {
            return Some(Meaning {
                semantic: Semantic::FreeText,
                looked_at: values.len() as u64,
                share: 1.0,
            });
        }
    }
    let is_id = profile.is_id_like() && profile.distinct_is_exact;
    is_id.then_some(Meaning { semantic: Semantic::Id, looked_at: profile.count, share: 1.0 })
}

/// A few words that are codes of countries by chance, such as `NO` or `IT`, are no countries.
fn is_varied(semantic: Semantic, values: &[&str]) -> bool {
    semantic != Semantic::Country || values.iter().take(500).collect::<BTreeSet<_>>().len() >= 3
}

/// Long texts of many words that hardly ever repeat.
fn is_free_text(values: &[&str]) -> bool {
    let count = values.len() as f64;
    let chars: usize = values.iter().map(|value| value.chars().count()).sum();
    let words: usize = values.iter().map(|value| value.split_whitespace().count()).sum();
    let distinct = values.iter().collect::<HashSet<_>>().len() as f64;
    chars as f64 / count >= 30.0 && words as f64 / count >= 5.0 && distinct / count >= 0.5
}

/// The form `local@domain` of RFC 5321 without quotes and comments, with a dot in the domain.
fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else { return false };
    let is_atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    (1..=64).contains(&local.len()) && local.chars().all(is_atom) && is_host(domain)
}

/// A name with a dot, of labels of letters, digits and hyphens.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_word = host.rsplit('.').next().is_some_and(|last| last.chars().any(char::is_alphabetic));
    host.len() <= 253 && host.contains('.') && last_is_word && host.split('.').all(is_label)
}

/// `+` or `00` and 7 to 15 digits (ITU-T E.164), or a national number that begins with 0 or `(`,
/// or is written like `555-123-4567`. Digits may be grouped.
fn is_phone(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let is_sign = |c: char| c.is_ascii_digit() || " ()-./+".contains(c);
    if !(7..=15).contains(&digits) || !value.chars().all(is_sign) || value.rfind('+').is_some_and(|at| at > 0)
    {
        return false;
    }
    let groups: Vec<usize> = value.split(['-', '.', ' ']).map(str::len).collect();
    value.starts_with(['+', '(']) || (value.starts_with('0') && !value.contains('.')) || groups == [3, 3, 4]
}

/// Two letters, two check digits and up to 30 letters or digits; with the first four at the end
/// and letters as 10 to 35, the number leaves 1 when divided by 97 (ISO 7064, mod 97-10).
fn is_iban(value: &str) -> bool {
    let compact: Vec<u8> = value.bytes().filter(|byte| *byte != b' ').collect();
    let is_shaped = (15..=34).contains(&compact.len())
        && compact[..2].iter().all(u8::is_ascii_uppercase)
        && compact[2..4].iter().all(u8::is_ascii_digit)
        && compact[4..].iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if !is_shaped {
        return false;
    }
    let turned = compact[4..].iter().chain(&compact[..4]);
    let remainder = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    remainder == 1
}

fn is_url(value: &str) -> bool {
    let rest = ["https://", "http://", "ftp://"].iter().find_map(|scheme| value.strip_prefix(scheme));
    let Some(rest) = rest.or_else(|| value.starts_with("www.").then_some(value)) else { return false };
    let end = rest.find(['/', '?', '#', ':']).unwrap_or(rest.len());
    let host = &rest[..end];
    !value.contains(char::is_whitespace)
        && (is_host(host) || host == "localhost" || host.parse::<IpAddr>().is_ok())
}

/// 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_uuid(value: &str) -> bool {
    let groups: Vec<&str> = value.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex)
}

/// Codes in capital letters, names in any.
fn is_country(value: &str) -> bool {
    static NAMES: OnceLock<HashSet<String>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let line = |line: &'static str| {
            let (codes, names): (Vec<_>, Vec<_>) = line.split('|').enumerate().partition(|(at, _)| *at < 2);
            let codes = codes.into_iter().map(|(_, code)| code.to_owned());
            codes.chain(names.into_iter().map(|(_, name)| name.to_lowercase()))
        };
        COUNTRIES.lines().flat_map(line).collect()
    });
    let is_code = matches!(value.len(), 2 | 3) && value.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { names.contains(value) || value == "UK" } else { names.contains(&value.to_lowercase()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    #[test]
    fn each_meaning_knows_its_own_and_no_other() {
        let own: [(Semantic, &[&str]); 7] = [
            (Semantic::Email, &["a.b+c@example.org", "jürgen@münchen.de", "x@y.co.uk"]),
            (Semantic::Phone, &["+49 30 123456", "(555) 123-4567", "030/1234567", "555-123-4567"]),
            (Semantic::Iban, &["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NO9386011117947"]),
            (Semantic::Url, &["https://example.org/a?b=c", "http://localhost:8080", "www.example.org"]),
            (Semantic::Country, &["DE", "USA", "germany", "Viet Nam", "Côte d'Ivoire", "Türkiye"]),
            (Semantic::Ip, &["192.168.0.1", "::1", "2001:db8::7334"]),
            (Semantic::Uuid, &["0190163d-8694-739b-aea5-966c26f8ad91"]),
        ];
        for (semantic, values) in own {
            for value in values {
                let fitting: Vec<_> = Semantic::ALL.into_iter().filter(|other| other.fits(value)).collect();
                assert_eq!(fitting, [semantic], "{value}");
            }
        }
        let none = [
            "a@b",
            "@b.de",
            "a b@c.de",
            "1234567",
            "12.5",
            "2026-11-23",
            "DE88370400440532013000",
            "https://",
            "Atlantis",
            "de",
            "TX",
            "300.1.1.1",
            "0190163d8694739baea5966c26f8ad91",
            "",
            "978-3-16-148410-0",
        ];
        for value in none {
            let fitting: Vec<_> = Semantic::ALL.into_iter().filter(|semantic| semantic.fits(value)).collect();
            assert_eq!(fitting, [], "{value}");
        }
    }

    fn column(values: &[String]) -> Option<Meaning> {
        let profile = ColumnProfile::of_texts("x", values.iter().map(|value| Some(value.as_str())), None);
        assert_eq!(profile.kind, Kind::Text);
        meaning(&profile, values)
    }

    #[test]
    fn a_column_means_what_nine_in_ten_of_its_values_mean() {
        let mut mails: Vec<String> = (0..90).map(|at| format!("user{at}@example.org")).collect();
        mails.extend((0..10).map(|at| format!("unknown {at}")));
        let found = column(&mails).expect("emails");
        assert_eq!((found.semantic, found.looked_at, found.share), (Semantic::Email, 100, 0.9));
        mails.push("unknown".to_owned());
        assert_ne!(
            column(&mails).map(|found| found.semantic),
            Some(Semantic::Email),
            "89 in 100 are too few"
        );
        let repeated =
            |codes: &[&str]| column(&codes.repeat(10).into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(
            repeated(&["AL", "CA", "TX", "NY", "WA", "FL"]),
            None,
            "some codes of states are codes of countries"
        );
        assert_eq!(repeated(&["NO", "IT"]), None);
        assert_eq!(repeated(&["DE", "FR", "IT", "NO"]).map(|found| found.semantic), Some(Semantic::Country));
        let ids: Vec<String> = (0..30).map(|at| format!("K-{at}")).collect();
        assert_eq!(column(&ids).map(|found| found.semantic), Some(Semantic::Id));
        let words = "the quick brown fox jumps over the lazy dog";
        let sentences: Vec<String> = (0..30).map(|at| format!("{words}, {at} times")).collect();
        assert_eq!(column(&sentences).map(|found| found.semantic), Some(Semantic::FreeText));
        assert_eq!(column(&["a@b.de".to_owned()]), None, "one value shows nothing");
    }
}
