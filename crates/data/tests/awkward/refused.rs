//! Files that are no tables, and what is said of each.

use data::Kind;
use data::import::ParseOptions;

use super::case::{Case, refused};

pub fn cases() -> Vec<Case> {
    let mut cases = content();
    cases.extend(sizes());
    cases.extend(options());
    cases
}

fn content() -> Vec<Case> {
    let utf_32 = |text: &str| text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<_>>();
    let utf_32_be = |text: &str| text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect::<Vec<_>>();
    let tar = [vec![b'x'; 257], b"ustar\0".to_vec(), vec![0; 300]].concat();
    let sparse = vec![0; 1 << 20];
    vec![
        refused("nothing", "", "`FILE` is empty (0 bytes)"),
        refused("a mark only", "\u{feff}", "`FILE` holds nothing but blank lines"),
        refused("line ends only", "\n\n\r\n", "`FILE` holds nothing but blank lines"),
        refused("spaces only", "   \n \t\n", "`FILE` holds nothing but blank lines"),
        refused("a header only", "a,b\n", "`FILE` has a header and no rows"),
        refused("a header and blank lines", "a,b\n\n\n", "`FILE` has a header and no rows"),
        refused("one byte", "x", "`FILE` has a header and no rows"),
        refused("comments only", "# x\n# y\n", "`FILE` holds no rows"),
        refused("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "`FILE` is a PNG picture, not a text table"),
        refused(
            "another picture",
            b"\xFF\xD8\xFF\xE0\0\x10JFIF",
            "`FILE` is a JPEG picture, not a text table",
        ),
        refused("a PDF", "%PDF-1.7\n", "`FILE` is a PDF document, not a text table"),
        refused("HTML", "<!DOCTYPE html><table>", "`FILE` is HTML or XML, not a text table"),
        refused("XML", "<?xml version=\"1.0\"?><a/>", "`FILE` is HTML or XML, not a text table"),
        refused("a program", b"\x7FELF\x02\x01\x01", "`FILE` is a program, not a text table"),
        refused("a 7z archive", b"7z\xBC\xAF\x27\x1C", "`FILE` is a 7z archive, not a text table"),
        refused("a tar archive", tar, "`FILE` is a tar archive, not a text table"),
        refused(
            "a Feather file of the first version",
            b"FEA1\0\0\0\0",
            "`FILE` is a Feather file of version 1, not a text table",
        ),
        refused(
            "UTF-32 LE",
            [b"\xFF\xFE\0\0".to_vec(), utf_32("a,b\n1,2\n")].concat(),
            "`FILE` is UTF-32 text, not a text table",
        ),
        refused(
            "UTF-32 BE",
            [b"\0\0\xFE\xFF".to_vec(), utf_32_be("a,b\n1,2\n")].concat(),
            "`FILE` is UTF-32 text, not a text table",
        ),
        refused("UTF-32 LE unmarked", utf_32("a,b\n1,2\n"), "`FILE` is UTF-32 text, not a text table"),
        refused("UTF-32 BE unmarked", utf_32_be("a,b\n1,2\n"), "`FILE` is UTF-32 text, not a text table"),
        refused(
            "a NUL byte near the top",
            format!("a,b\n1,x\0y\n2,{}\n", "z".repeat(200)),
            "`FILE` holds a NUL byte on line 2",
        ),
        refused(
            "noise",
            b"\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10,\x11\x12",
            "`FILE` is not a text file",
        ),
        refused("a file of holes", sparse, "`FILE` is not a text file"),
    ]
}

fn sizes() -> Vec<Case> {
    let names = |width: usize| (0..width).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
    let wide = |width: usize, rows: usize| {
        format!("{}\n{}", names(width), format!("{}\n", vec!["1"; width].join(",")).repeat(rows))
    };
    vec![
        refused("100,000 columns", wide(100_000, 10), "`FILE` has 100,000 columns"),
        refused(
            "a million columns in one row",
            vec!["1"; 1_000_000].join(","),
            "`FILE` has 1,000,000 columns",
        ),
        refused(
            "one field of forty megabytes",
            vec![b'z'; 40 << 20],
            "the first row of `FILE` is longer than 32 MB",
        ),
    ]
}

fn options() -> Vec<Case> {
    let with = |name, options| move |message| refused(name, "a,b\n1,2\n", message).read_as(options);
    let plain = ParseOptions::default;
    let set = |name: &str, kind| [(name.to_owned(), kind)].into();
    vec![
        with("a delimiter that is a quote", ParseOptions { delimiter: '"', ..plain() })(
            "two characters of the options have the same meaning",
        ),
        with("a delimiter beyond ASCII", ParseOptions { delimiter: 'é', ..plain() })(
            "`é` cannot be the delimiter",
        ),
        with("a quote that is a line end", ParseOptions { quote: Some('\n'), ..plain() })(
            "`\\n` cannot be the quote character",
        ),
        with("an unknown encoding", ParseOptions { encoding: "klingon".to_owned(), ..plain() })(
            "there is no encoding `klingon`",
        ),
        with("an unknown decimal mark", ParseOptions { decimal: 'x', ..plain() })(
            "`x` cannot be the decimal mark",
        ),
        with("more skipped lines than there are", ParseOptions { skip_lines: 99, ..plain() })(
            "`FILE` holds no rows",
        ),
        with("a header of no rows", ParseOptions { header_rows: 0, ..plain() })(
            "a header cannot have 0 rows",
        ),
        with("a header of more rows than there are", ParseOptions { header_rows: 3, ..plain() })(
            "`FILE` holds no rows",
        ),
        with("a kind for no column", ParseOptions { kinds: set("c", Kind::Text), ..plain() })(
            "the options set the kind of `c`, which is no column",
        ),
        with("a kind that no row has", ParseOptions { kinds: set("a", Kind::Time), ..plain() })(
            "no row of `FILE` can be read; the first, on line 2: `1` in `a` is not a date or time",
        ),
        with(
            "another delimiter",
            ParseOptions { delimiter: ';', kinds: set("a,b", Kind::Number), ..plain() },
        )("no row of `FILE` can be read; the first, on line 2: `1,2` in `a,b` is not a number"),
    ]
}
