//! Paths of files, below the root of artifacts: plain names with `/` between them, whatever a
//! request tries to make of them. A path names a row and never a file on this disk.

use store::tracking::artifacts;
pub(super) use store::tracking::artifacts::path_of as of_uri;

use super::fields::percent_decoded;
use super::refusal::Refusal;

/// How often a path may have been encoded before it is read no further.
const DEEPEST: usize = 8;

/// Refuses a path that is no path, or would be one only after a further decoding.
pub(super) fn check(path: &str) -> Result<(), Refusal> {
    let mut seen = path.to_owned();
    for _ in 0..DEEPEST {
        if !artifacts::is_plain(&seen) {
            return Err(wrong());
        }
        let next = percent_decoded(&seen);
        if next == seen {
            return Ok(());
        }
        seen = next;
    }
    Err(wrong())
}

/// A path as it stands in an address, decoded once and checked.
pub(super) fn from_address(encoded: &str) -> Result<String, Refusal> {
    let path = percent_decoded(encoded);
    check(&path)?;
    Ok(path)
}

fn wrong() -> Refusal {
    Refusal::invalid("Invalid path")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_that_leads_out_is_refused_however_it_is_written() {
        for wrong in [
            "..%2f..%2fx",
            "%2fetc%2fpasswd",
            "%252e%252e%252fx",
            "a%5c..%5cb",
            "x%23y/../z",
            "../x",
            "a/../b",
            "/x",
            "a//b",
            "a/",
            "",
            ".",
            "a/./b",
            "a%00b",
            "a%0ab",
            "C:/x",
            "c%3a/x",
            "%ff",
            "a/%25252525252525252525252e%2e/b",
            &"a/".repeat(3_000),
            &"n".repeat(256),
        ] {
            assert!(from_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plain_path_is_taken_as_it_is() {
        for (address, path) in [
            ("1/abc/artifacts/model/MLmodel", "1/abc/artifacts/model/MLmodel"),
            ("1/a%20b/%C3%A9t%C3%A9.txt", "1/a b/été.txt"),
            ("1/100%25.txt", "1/100%.txt"),
            ("1/a:b", "1/a:b"),
            ("1/..a", "1/..a"),
        ] {
            assert_eq!(from_address(address).unwrap(), path);
        }
        assert_eq!(of_uri("mlflow-artifacts:/1/r/artifacts"), Some("1/r/artifacts"));
        assert_eq!(of_uri("mlflow-artifacts://host/1"), None);
        assert_eq!(of_uri("s3://bucket/1"), None);
    }

    proptest! {
        #[test]
        fn what_is_taken_has_no_name_that_leads_elsewhere(text in "[a-z.%/2efFcC5:\\\\]{0,40}") {
            if let Ok(path) = from_address(&text) {
                let mut seen = path;
                for _ in 0..10 {
                    prop_assert!(seen.split('/').all(|name| !matches!(name, "" | "." | "..")), "{}", seen);
                    prop_assert!(!seen.contains('\\') && !seen.starts_with('/'));
                    seen = percent_decoded(&seen);
                }
            }
        }
    }
}
