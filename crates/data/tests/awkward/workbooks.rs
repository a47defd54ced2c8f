//! Workbooks, written part by part: what programs write, and what people do in sheets.

use data::import::{Format, ParseOptions};

use super::case::{Case, refused, table};
use super::zips::zip;

/// One `<row>` for each list of cells, from row 1 on; a cell is its XML without its place.
fn rows(rows: &[&[&str]]) -> String {
    let mut out = String::new();
    for (row, cells) in rows.iter().enumerate() {
        out.push_str(&format!("<row r=\"{}\">", row + 1));
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let place = format!("{}{}", char::from(b'A' + column as u8), row + 1);
            out.push_str(&cell.replacen("<c", &format!("<c r=\"{place}\""), 1));
        }
        out.push_str("</row>");
    }
    out
}

fn text(text: &str) -> String {
    format!("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")
}

fn number(value: &str) -> String {
    format!("<c><v>{value}</v></c>")
}

/// A number in the format of a date (style 1), of a time of day (2), of a duration (3).
fn styled(style: u8, value: &str) -> String {
    format!("<c s=\"{style}\"><v>{value}</v></c>")
}

/// Where the workbook is in its archive.
const ROOT: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";

/// A workbook of sheets: the name, the rows, and what stands behind them.
fn xlsx(sheets: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut list = String::new();
    let mut links = String::new();
    let mut parts = Vec::new();
    for (at, (name, rows, behind)) in sheets.iter().enumerate() {
        let id = at + 1;
        list.push_str(&format!("<sheet name=\"{name}\" sheetId=\"{id}\" r:id=\"rId{id}\"/>"));
        links.push_str(&format!(
            "<Relationship Id=\"rId{id}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet{id}.xml\"/>"
        ));
        let sheet = format!(
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData>{behind}</worksheet>"
        );
        parts.push((format!("xl/worksheets/sheet{id}.xml"), sheet));
    }
    let styles = "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"21\"/><xf numFmtId=\"46\"/></cellXfs></styleSheet>";
    links.push_str("<Relationship Id=\"rId99\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>");
    let book = format!(
        "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>{list}</sheets></workbook>"
    );
    let links = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{links}</Relationships>"
    );
    parts.push((
        "[Content_Types].xml".to_owned(),
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
    ));
    parts.push(("_rels/.rels".to_owned(), ROOT.to_owned()));
    parts.push(("xl/workbook.xml".to_owned(), book));
    parts.push(("xl/_rels/workbook.xml.rels".to_owned(), links));
    parts.push(("xl/styles.xml".to_owned(), styles.to_owned()));
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, xml)| (name.as_str(), xml.as_bytes())).collect();
    zip(&parts)
}

fn sheet(cells: &[&[String]]) -> Vec<u8> {
    xlsx(&[("Sheet1", &sheet_rows(cells), "")])
}

fn sheet_rows(cells: &[&[String]]) -> String {
    let own: Vec<Vec<&str>> = cells.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let own: Vec<&[&str]> = own.iter().map(Vec::as_slice).collect();
    rows(&own)
}

/// An OpenOffice sheet of these rows of cells.
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet><table:table table:name=\"Sheet1\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let manifest =
        "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>";
    zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", manifest.as_bytes()),
        ("content.xml", content.as_bytes()),
    ])
}

pub fn example() -> Vec<u8> {
    sheet(&[&[text("a"), text("b")], &[number("1"), text("x")], &[number("2"), text("y")]])
}

pub fn example_of_two() -> Vec<u8> {
    let rows = sheet_rows(&[&[text("a")], &[number("1")]]);
    xlsx(&[("First", &rows, ""), ("Second", &rows, "")])
}

pub fn ods_example() -> Vec<u8> {
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    ods(&["a", "x", "y"].map(|text| format!("<table:table-row>{}</table:table-row>", cell(text))).concat())
}

pub fn cases() -> Vec<Case> {
    let mut cases = cells();
    cases.extend(places());
    cases.extend(choices());
    cases
}

fn cells() -> Vec<Case> {
    let header = || [text("a"), text("b")];
    let blank = String::new;
    vec![
        table(
            "a sheet",
            sheet(&[&header(), &[number("1"), text("x")], &[number("2"), text("y")]]),
            "a:integer b:text | 1 x | 2 y",
        ),
        table(
            "fractions, long integers and exponents in a sheet",
            sheet(&[&header(), &[number("0.1"), number("9007199254740991")], &[number("1E-3"), number("5")]]),
            "a:number b:integer | 0.1 9007199254740991 | 0.001 5",
        ),
        table(
            "dates and times of a sheet",
            sheet(&[
                &[text("date"), text("moment"), text("time"), text("span")],
                &[styled(1, "46349"), styled(1, "46349.5"), styled(2, "0.25"), styled(3, "1.5")],
                &[styled(1, "61"), styled(1, "2"), styled(2, "0.5"), styled(3, "2")],
            ]),
            "date:time moment:time time:text span:number | 2026-11-23 2026-11-23 12:00:00 06:00:00 1.5 | 1900-03-01 1900-01-02 12:00:00 2",
        ),
        table(
            "truth values and errors of a sheet",
            sheet(&[
                &header(),
                &["<c t=\"b\"><v>1</v></c>".to_owned(), number("1")],
                &["<c t=\"b\"><v>0</v></c>".to_owned(), "<c t=\"e\"><v>#N/A</v></c>".to_owned()],
                &["<c t=\"e\"><v>#DIV/0!</v></c>".to_owned(), number("3")],
            ]),
            "a:boolean b:integer | true 1 | false ~ | ~ 3",
        ),
        table(
            "words for missing in a sheet",
            sheet(&[
                &header(),
                &[number("1"), text("NA")],
                &[text("n/a"), text("x")],
                &[text("-"), text(" ")],
            ]),
            "a:integer b:text | 1 ~ | ~ x | ~ ~",
        ),
        table(
            "ids that a sheet holds as text",
            sheet(&[&header(), &[text("007"), text("12")], &[text("008"), text("13")]]),
            "a:text b:text | 007 12 | 008 13",
        ),
        table(
            "numbers of a sheet beside texts",
            sheet(&[&header(), &[number("1"), text("x")], &[text("many"), number("2.50")]]),
            "a:text b:text | 1 x | many 2.5",
        ),
        table(
            "formulas of a sheet are their values",
            sheet(&[
                &header(),
                &["<c><f>1+1</f><v>2</v></c>".to_owned(), "<c t=\"str\"><f>A1</f><v>x</v></c>".to_owned()],
            ]),
            "a:integer b:text | 2 x",
        ),
        table(
            "empty cells and rows of a sheet",
            sheet(&[
                &header(),
                &[number("1"), blank()],
                &[],
                &[blank(), text("y")],
                &[number("3"), text("z")],
            ]),
            "a:integer b:text | 1 ~ | ~ y | 3 z",
        ),
        table(
            "texts of a sheet with marks of XML",
            sheet(&[&header(), &[text("a &amp; b &lt;c&gt;"), text(" é\n東 ")]]),
            "a:text b:text | a & b <c>  é/東 ",
        ),
    ]
}

fn places() -> Vec<Case> {
    let blank = String::new;
    let shifted: &[&[String]] = &[
        &[],
        &[],
        &[blank(), blank(), text("a"), text("b")],
        &[blank(), blank(), number("1"), text("x")],
        &[blank(), blank(), number("2"), text("y")],
    ];
    let titled: &[&[String]] = &[
        &[text("Sales of 2026")],
        &[],
        &[text("a"), text("b"), text("c")],
        &[number("1"), text("x"), number("2")],
        &[number("2"), text("y"), number("3")],
        &[],
        &[text("made by hand")],
    ];
    let two: &[&[String]] = &[
        &[blank(), text("Sales"), blank(), text("Costs")],
        &[text("Year"), text("Q1"), text("Q2"), text("Q1")],
        &[number("2025"), number("1"), number("2"), number("3")],
    ];
    let headers = ParseOptions { format: Format::Excel, header_rows: 2, ..ParseOptions::default() };
    let merged = "<mergeCells count=\"1\"><mergeCell ref=\"A2:A3\"/></mergeCells>";
    let sides: &[&[String]] = &[
        &[text("a"), text("b"), blank(), text("note")],
        &[number("1"), number("2"), blank(), text("x")],
        &[number("3"), number("4")],
    ];
    let ranged = |range: &str| ParseOptions {
        format: Format::Excel,
        range: Some(range.to_owned()),
        ..ParseOptions::default()
    };
    vec![
        table("a table away from the corner", sheet(shifted), "a:integer b:text | 1 x | 2 y"),
        table("a title above and a note below", sheet(titled), "a:integer b:text c:integer | 1 x 2 | 2 y 3")
            .rejects(&[(7, "the row holds one cell below an empty row, as notes do")]),
        table(
            "a header of two rows",
            sheet(two),
            "Year:integer Sales Q1:integer Sales Q2:integer Costs Q1:integer | 2025 1 2 3",
        )
        .read_as(headers),
        table(
            "merged cells",
            xlsx(&[(
                "Sheet1",
                &sheet_rows(&[&[text("a"), text("b")], &[text("x"), number("1")], &[blank(), number("2")]]),
                merged,
            )]),
            "a:text b:integer | x 1 | ~ 2",
        ),
        table("a range", sheet(sides), "a:integer b:integer | 1 2 | 3 4").read_as(ranged("A1:B3")),
        table("a range without an end", sheet(sides), "b:integer | 2 | 4").read_as(ranged("B1:B")),
        refused("no range", sheet(sides), "`A1` is no range of cells").read_as(ranged("A1")),
        refused("a range of nothing", sheet(sides), "the range of `FILE` holds nothing but empty cells")
            .read_as(ranged("J1:K9")),
        table(
            "a sheet without a header",
            sheet(&[&[number("1"), text("x")], &[number("2"), text("y")]]),
            "column_1:integer column_2:text | 1 x | 2 y",
        ),
        table(
            "a header that is repeated in a sheet",
            sheet(&[
                &[text("a"), text("b")],
                &[number("1"), text("x")],
                &[text("a"), text("b")],
                &[number("2"), text("y")],
            ]),
            "a:integer b:text | 1 x | 2 y",
        )
        .rejects(&[(3, "the row repeats the header")]),
        table(
            "a cell far away from the table",
            xlsx(&[(
                "Sheet1",
                &format!(
                    "{}<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
                    sheet_rows(&[
                        &[text("a")],
                        &[number("1")],
                        &[number("2")],
                        &[number("3")],
                        &[number("4")],
                        &[number("5")],
                        &[number("6")],
                        &[number("7")],
                        &[number("8")],
                        &[number("9")],
                        &[number("10")],
                        &[number("11")]
                    ])
                ),
                "",
            )]),
            "a:integer | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11",
        )
        .rejects(&[(1_048_576, "the row has 16384 cells, expected 1")]),
    ]
}

fn choices() -> Vec<Case> {
    let first = sheet_rows(&[&[text("a")], &[number("1")]]);
    let second = sheet_rows(&[&[text("b")], &[number("2")]]);
    let book = || xlsx(&[("Empty", "", ""), ("First", &first, ""), ("Second", &second, "")]);
    let named = |name: &str| ParseOptions {
        format: Format::Excel,
        table: Some(name.to_owned()),
        ..ParseOptions::default()
    };
    let cell = |kind: &str, value: &str, text: &str| {
        format!(
            "<table:table-cell office:value-type=\"{kind}\" {value}><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let header =
        format!("<table:table-row>{}{}</table:table-row>", cell("string", "", "a"), cell("string", "", "b"));
    let row = format!(
        "<table:table-row>{}{}</table:table-row>",
        cell("float", "office:value=\"1.5\"", "1,5"),
        cell("date", "office:date-value=\"2026-01-02\"", "02.01.2026")
    );
    let tail = "<table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
    let mut cut = book();
    cut.truncate(cut.len() - 60);
    let hollow = zip(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook>")]);
    vec![
        table("the first sheet that holds something", book(), "a:integer | 1"),
        table("the sheet that was named", book(), "b:integer | 2").read_as(named("Second")),
        refused("a sheet that is not there", book(), "the workbook `FILE` holds no sheet `Third`")
            .read_as(named("Third")),
        refused("a sheet that is empty", book(), "the workbook of `FILE` holds nothing but empty cells")
            .read_as(named("Empty")),
        table(
            "an OpenOffice sheet",
            ods(&format!("{header}{row}{tail}")),
            "a:number b:time | 1.5 2026-01-02",
        ),
        refused("a workbook that breaks off", cut, "the ZIP archive `FILE` is damaged"),
        refused("a workbook without its parts", hollow, "`FILE` is damaged: it cannot be read as a workbook"),
        refused(
            "a text document",
            zip(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<x/>")]),
            "`FILE` is a document, not a table",
        ),
        refused(
            "half of an old workbook",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0".as_slice(),
            "`FILE` is damaged: it cannot be read as a workbook",
        ),
        refused("text read as a workbook", b"a,b\n1,2\n".as_slice(), "`FILE` is not a workbook")
            .read_as(named("x")),
        refused(
            "a workbook read as text",
            book(),
            "`FILE` is a ZIP archive (an Excel workbook is one too), not a text table",
        )
        .read_as(ParseOptions::default()),
    ]
}
