//! Pages: how many, from where, and the token of the next one, which clients hand back unread.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use store::tracking::points::Point;

use super::fields::Fields;
use super::refusal::Refusal;

/// A page that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub offset: u64,
    pub limit: u64,
}

/// Reads how many and from where: `usual` where nothing is said, `most` at most.
pub(super) fn asked(fields: &Fields<'_>, usual: i64, most: i64) -> Result<Asked, Refusal> {
    let limit = fields.whole("max_results")?.unwrap_or(usual);
    if limit < 1 {
        return Err(not_positive(limit));
    }
    if limit > most {
        return Err(Refusal::invalid(format!(
            "Invalid value {limit} for parameter 'max_results' supplied. It must be at most {most}"
        )));
    }
    let offset = match token(fields)? {
        None => 0,
        Some(token) => {
            token["offset"].as_u64().filter(|offset| i64::try_from(*offset).is_ok()).ok_or_else(wrong)?
        }
    };
    Ok(Asked { offset, limit: limit.unsigned_abs() })
}

pub(super) fn not_positive(limit: i64) -> Refusal {
    Refusal::invalid(format!(
        "Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer"
    ))
}

fn wrong() -> Refusal {
    Refusal::invalid("Invalid page token, could not base64-decode")
}

fn token(fields: &Fields<'_>) -> Result<Option<Value>, Refusal> {
    let Some(text) = fields.text("page_token")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
    serde_json::from_slice(&bytes).map(Some).map_err(|_| wrong())
}

impl Asked {
    /// One more than wanted, which tells whether there is a next page.
    pub fn to_find(self) -> u64 {
        self.limit + 1
    }

    /// Cuts what was found to the page, and gives the token of the next one.
    pub fn take<T>(self, found: &mut Vec<T>) -> Option<String> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_more = found.len() > limit;
        found.truncate(limit);
        is_more.then(|| encoded(&format!("{{\"offset\": {}}}", self.offset + self.limit)))
    }
}

/// The token of what comes after a point.
pub(super) fn after_point(point: &Point) -> String {
    let value = if point.value.is_nan() { Value::Null } else { json!(point.value) };
    encoded(&json!({ "after": [point.step, point.at_ms, value] }).to_string())
}

/// The point after which a page begins.
pub(super) fn begins_after(fields: &Fields<'_>) -> Result<Option<Point>, Refusal> {
    let Some(token) = token(fields)? else { return Ok(None) };
    let part = &token["after"];
    let read = || {
        let value = if part[2].is_null() { f64::NAN } else { part[2].as_f64()? };
        Some(Point { step: part[0].as_i64()?, at_ms: part[1].as_i64()?, value })
    };
    read().map(Some).ok_or_else(wrong)
}

fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> serde_json::Map<String, Value> {
        super::super::fields::from_query(query)
    }

    #[test]
    fn a_token_leads_to_the_next_page_and_another_text_is_refused() {
        let map = of("max_results=2");
        let asked_for = asked(&Fields::new(&map), 10, 100).unwrap();
        let mut found = vec![1, 2, 3];
        let next = asked_for.take(&mut found).unwrap();
        assert_eq!((found.as_slice(), next.as_str()), (&[1, 2][..], "eyJvZmZzZXQiOiAyfQ=="));
        let map = of(&format!("max_results=2&page_token={next}"));
        assert_eq!(asked(&Fields::new(&map), 10, 100).unwrap(), Asked { offset: 2, limit: 2 });
        for wrong in ["zz", "eyJhIjoxfQ==", "e30=", "bm8=", "eyJvZmZzZXQiOiAtMX0="] {
            let map = of(&format!("page_token={wrong}"));
            assert!(asked(&Fields::new(&map), 10, 100).is_err(), "{wrong}");
            assert!(begins_after(&Fields::new(&map)).is_err(), "{wrong}");
        }
        for wrong in ["0", "-1", "101"] {
            let map = of(&format!("max_results={wrong}"));
            assert!(asked(&Fields::new(&map), 10, 100).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_point_comes_back_from_its_token() {
        for value in [0.1 + 0.2, f64::NAN, -0.0, f64::MAX] {
            let point = Point { step: -5, at_ms: i64::MAX, value };
            let map = of(&format!("page_token={}", after_point(&point).replace('+', "%2B")));
            let read = begins_after(&Fields::new(&map)).unwrap().unwrap();
            assert_eq!(format!("{read:?}"), format!("{point:?}"));
        }
    }
}
