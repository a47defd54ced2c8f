//! JSON documents and JSON lines in every shape that holds a table.

use data::Kind;
use data::import::{Format, ParseOptions};

use super::case::{Case, refused, table};

pub fn cases() -> Vec<Case> {
    let mut cases = shapes();
    cases.extend(values());
    cases.extend(broken());
    cases
}

fn shapes() -> Vec<Case> {
    let at = |path: &str| ParseOptions {
        format: Format::Json,
        records: Some(path.to_owned()),
        ..ParseOptions::default()
    };
    let two = br#"{"a": [{"x": 1}], "meta": {"b": [{"y": 2}, {"y": 3}]}}"#;
    vec![
        table(
            "array of objects",
            r#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]"#,
            "a:integer b:text | 1 x | 2 y",
        ),
        table(
            "array on many lines",
            "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]\n",
            "a:integer | 1 | 2",
        ),
        table(
            "missing keys are missing",
            r#"[{"a": 1}, {"b": "x"}, {}]"#,
            "a:integer b:text | 1 ~ | ~ x | ~ ~",
        ),
        table("array of arrays", "[[1, \"x\"], [2, \"y\"]]", "column_1:integer column_2:text | 1 x | 2 y"),
        table(
            "array of arrays with names",
            "[[\"a\", \"b\"], [1, \"x\"], [2, \"y\"]]",
            "a:integer b:text | 1 x | 2 y",
        ),
        table("short arrays", "[[1, 2], [3]]", "column_1:integer column_2:integer | 1 2 | 3 ~"),
        table("array of values", "[1, 2, null, 4]", "value:integer | 1 | 2 | ~ | 4"),
        table("object of columns", r#"{"a": [1, 2], "b": ["x", null]}"#, "a:integer b:text | 1 x | 2 ~"),
        table(
            "one array inside",
            r#"{"ok": true, "items": [{"a": 1}, {"a": 2}], "next": null}"#,
            "a:integer | 1 | 2",
        ),
        table("one array deep inside", r#"{"data": {"page": 1, "items": [{"a": 1}]}}"#, "a:integer | 1"),
        table("the longer of two arrays", two.as_slice(), "y:integer | 2 | 3"),
        table("the array that was named", two.as_slice(), "x:integer | 1").read_as(at("a")),
        table("the array that was named, deep", two.as_slice(), "y:integer | 2 | 3").read_as(at("meta.b")),
        refused("an array that is not there", two.as_slice(), "`FILE` holds no records at `c`")
            .read_as(at("c")),
        table("one record", r#"{"a": 1, "tags": ["x", "y"]}"#, "a:integer tags:text | 1 [\"x\",\"y\"]"),
        table(
            "nested objects become columns",
            r#"[{"a": {"b": 1, "c": {"d": 2}}}]"#,
            "a.b:integer a.c.d:integer | 1 2",
        ),
        table("arrays stay JSON", "[{\"a\": [ 1, {\"b\" : \"x y\"} ]}]", "a:text | [1,{\"b\":\"x y\"}]"),
        table("JSON lines", "{\"a\": 1}\n{\"a\": 2}\n", "a:integer | 1 | 2"),
        table("JSON lines without an end", "{\"a\": 1}\n{\"a\": 2}", "a:integer | 1 | 2"),
        table(
            "JSON lines with CR LF and blank ones",
            "{\"a\": 1}\r\n\r\n{\"a\": 2}\r\n",
            "a:integer | 1 | 2",
        ),
        table(
            "JSON lines of arrays",
            "[1, \"x\"]\n[2, \"y\"]\n",
            "column_1:integer column_2:text | 1 x | 2 y",
        ),
        table("JSON with a mark", "\u{feff}[{\"a\": \"é\"}]", "a:text | é"),
        table("JSON in UTF-16", utf_16("[{\"a\": \"é\"}]"), "a:text | é"),
        table("JSON lines in UTF-16", utf_16("{\"a\": \"é\"}\n{\"a\": \"東\"}\n"), "a:text | é | 東"),
    ]
}

/// Rows under the names `c0`, `c1` and so on, as JSON lines or as a document.
pub fn written(rows: &[Vec<serde_json::Value>], is_lines: bool) -> (Format, String) {
    let object = |row: &Vec<serde_json::Value>| {
        let members = row.iter().enumerate().map(|(at, value)| (format!("c{at}"), value.clone()));
        serde_json::Value::Object(members.collect()).to_string()
    };
    let objects: Vec<String> = rows.iter().map(object).collect();
    if is_lines {
        (Format::JsonLines, objects.join("\n"))
    } else {
        (Format::Json, format!("[{}]", objects.join(",\n ")))
    }
}

fn utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn values() -> Vec<Case> {
    let number = ParseOptions {
        format: Format::JsonLines,
        kinds: [("a".to_owned(), Kind::Number)].into(),
        ..ParseOptions::default()
    };
    vec![
        table(
            "integers beyond 2^53 keep their digits",
            "{\"a\": 9007199254740993}\n{\"a\": 1}\n",
            "a:integer | 9007199254740993 | 1",
        ),
        table(
            "integers beyond 64 bits keep their digits",
            "{\"a\": 12345678901234567890}\n{\"a\": 1}\n",
            "a:text | 12345678901234567890 | 1",
        ),
        table(
            "integers and fractions",
            "{\"a\": 1}\n{\"a\": 2.5}\n{\"a\": 1e3}\n",
            "a:number | 1 | 2.5 | 1000",
        ),
        table(
            "mixed kinds become text",
            "{\"a\": 1}\n{\"a\": \"x\"}\n{\"a\": true}\n",
            "a:text | 1 | x | true",
        ),
        table(
            "objects beside values",
            "{\"a\": 1}\n{\"a\": {\"b\": 2}}\n",
            "a:integer a.b:integer | 1 ~ | ~ 2",
        ),
        table(
            "truth values",
            "{\"a\": true}\n{\"a\": false}\n{\"a\": null}\n",
            "a:boolean | true | false | ~",
        ),
        table("numbers in texts are texts", "{\"a\": \"1\"}\n{\"a\": \"2\"}\n", "a:text | 1 | 2"),
        table(
            "a kind that was set reads texts",
            "{\"a\": \"1\"}\n{\"a\": \"x\"}\n{\"a\": 3}\n",
            "a:number | 1 | 3",
        )
        .read_as(number)
        .rejects(&[(2, "`x` in `a` is not a number")]),
        table(
            "an empty text is a text",
            "{\"a\": \"\"}\n{\"a\": \"NA\"}\n{\"a\": null}\n",
            "a:text |  | NA | ~",
        ),
        table("ISO dates in texts", "{\"a\": \"2026-01-02\"}\n{\"a\": \"\"}\n", "a:time | 2026-01-02 | ~"),
        table(
            "ambiguous dates stay text",
            "{\"a\": \"03/04/2026\"}\n{\"a\": \"05/06/2026\"}\n",
            "a:text | 03/04/2026 | 05/06/2026",
        ),
        table("escapes", "[{\"a\": \"\\u00e9\\ud83d\\ude00\\n\\\"\"}]", "a:text | é😀/\""),
        table(
            "words of Python",
            "{\"a\": NaN}\n{\"a\": Infinity}\n{\"a\": -Infinity}\n",
            "a:number | ~ | inf | -inf",
        ),
        table("the last of two equal keys", "{\"a\": 1, \"a\": 2}\n{\"a\": 3}\n", "a:integer | 2 | 3"),
        table(
            "dangerous keys",
            "{\"__proto__\": 1, \"\": 2}\n{\"__proto__\": 3}\n",
            "proto__:integer column_2:integer | 1 2 | 3 ~",
        ),
        table(
            "keys that meet when they are joined",
            "{\"a.b\": 1, \"a\": {\"b\": 2}}\n{}\n",
            "a.b:integer | 2 | ~",
        ),
    ]
}

fn broken() -> Vec<Case> {
    let deep = format!("{{\"a\": 1}}\n{{\"a\": {}1{}}}\n{{\"a\": 3}}\n", "[".repeat(5000), "]".repeat(5000));
    let wide: Vec<String> = (0..20_001).map(|at| format!("\"c{at}\": 1")).collect();
    vec![
        table("a broken line", "{\"a\": 1}\n{\"a\": tru}\n{\"a\": 3}\n", "a:integer | 1 | 3")
            .rejects(&[(2, "it is not valid JSON: expected a value at character 7")]),
        table("a line that breaks off", "{\"a\": 1}\n{\"a\": 2}\n{\"a\": ", "a:integer | 1 | 2")
            .rejects(&[(3, "it is not valid JSON: expected a value at character 7")]),
        table("a line with two values", "{\"a\": 1}\n{\"a\": 2} {\"a\": 3}\n{\"a\": 4}\n", "a:integer | 1 | 4")
            .rejects(&[(2, "it is not valid JSON: text follows the value at character 10")]),
        table("a line nested too deeply", deep, "a:integer | 1 | 3")
            .rejects(&[(2, "it is not valid JSON: it is nested too deeply at character 135")]),
        table("a line of other bytes", b"{\"a\": \"x\"}\n{\"a\": \"\xE9\"}\n{\"a\": \"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}\n".as_slice(), "a:text | x | ééééééééééé")
            .rejects(&[(2, "the bytes are not valid in this encoding")]),
        table("a broken record in a document", "[\n{\"a\": 1},\n{\"a\": 01},\n{\"a\": 3}\n]", "a:integer | 1 | 3")
            .rejects(&[(3, "it is not valid JSON: expected a value at character 7")]),
        refused("a document that breaks off", "[{\"a\": 1}, {\"a\": 2}", "`FILE` is damaged: it cannot be read as a JSON document"),
        refused("a document without commas", "[\n{\"a\": 1}\n{\"a\": 2}]", "`FILE` is damaged: it cannot be read as a JSON document"),
        refused("two documents", "[\n{\"a\": 1}]\n[{\"a\": 2}]", "`FILE` is damaged: it cannot be read as a JSON document"),
        refused("an empty array", "[]", "no record of `FILE` holds a value"),
        refused("an empty object", "{}", "no record of `FILE` holds a value"),
        refused("columns of different length", r#"{"a": [1, 2], "b": [1]}"#, "the columns of `FILE` differ in length: \"b\" has 1 values, others have 2"),
        refused("more names than a table has columns", format!("[{{{}}}]", wide.join(", ")), "the records of `FILE` have more than 20,000 names"),
        refused("text read as JSON", "a,b\n1,2\n", "`FILE` is not a JSON document")
            .read_as(ParseOptions { format: Format::Json, ..ParseOptions::default() }),
        refused("text read as JSON lines", "a,b\n1,2\n", "`FILE` is not a file of JSON lines")
            .read_as(ParseOptions { format: Format::JsonLines, ..ParseOptions::default() }),
    ]
}
