//! Workbooks: xlsx, xlsm, xlsb and xls of Excel, and ods of OpenOffice. A cell has the kind that
//! the workbook gives it; dates are numbers with the format of a date there.

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;

use base::{Error, Progress, Result};
use calamine::{Data, Ods, Reader as _, Sheets, Xls, Xlsb, Xlsx, open_workbook_from_rs};

use super::{Extent, Opened, Reader, Request, Rows, damaged, guarded, not_one};
use crate::import::chunk::{Chunk, ChunkBuilder, Origin};
use crate::import::header::Header;
use crate::import::input::Input;
use crate::import::layout::Layout;
use crate::import::names;
use crate::import::options::{Format, ParseOptions, Sniffed, Warning};
use crate::import::pack::{self, listed};
use crate::import::sheet::{Area, Sheet, Table};

/// What the parts of a workbook may unpack to.
const MAX_UNPACKED_BYTES: u128 = 4 << 30;
/// Rows of a sheet that a preview reads.
const HEAD_ROWS: usize = 2000;
/// Cells between two reports.
const STEP_CELLS: u64 = 20_000;

/// Excel and its kin.
pub(super) struct Excel;

impl Reader for Excel {
    fn format(&self) -> Format {
        Format::Excel
    }

    fn detect(&self, head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
    }

    fn needs_whole(&self) -> bool {
        true
    }

    fn sniff(&self, input: &Input) -> Result<Sniffed> {
        let mut book = Book::open(input)?;
        let mut options = ParseOptions { format: Format::Excel, ..ParseOptions::default() };
        let tables = book.sheets.clone();
        let progress = Progress::silent();
        let request = Request { input, options: &options, extent: Extent::Head, progress: &progress };
        let (name, sheet) = book.sheet(&request)?;
        let mut warnings = book.warnings;
        let (first, header) = sheet.guess_header(&options);
        options.skip_lines = u64::from(first - 1);
        options.header = header;
        if tables.len() > 1 {
            let message = format!("the workbook holds {} sheets; `{name}` is read", tables.len());
            warnings.push(Warning::file(message));
            options.table = Some(name);
        }
        Ok(Sniffed { options, confidence: 1.0, tables, warnings })
    }

    fn open(&self, request: &Request<'_>) -> Result<Opened> {
        let (input, options) = (request.input, request.options);
        let mut book = Book::open(input)?;
        let (_, sheet) = book.sheet(request)?;
        let header_rows = if options.header { options.header_rows as usize } else { 0 };
        let table = sheet.table(options.skip_lines, header_rows);
        if table.columns.is_empty() {
            return Err(Error::invalid(format!("the sheet of `{}` holds no rows", input.shown.display()))
                .hint("check the range and how many rows are skipped"));
        }
        let header = sheet.header(&table);
        let width = table.columns.len();
        let mut layout = match header.as_slice() {
            [] => Layout::new(&input.shown, &names::numbered(width), options)?,
            rows => {
                let (raw, _) = Header { rows, width: Some(width), filled: width, first_cells: &[] }.names();
                Layout::new(&input.shown, &raw, options)?
            }
        };
        if let [only] = header.as_slice() {
            layout = layout.with_header(only);
        }
        layout.warnings.append(&mut book.warnings);
        if table.header.start > 0 {
            let message = format!("{} rows above the table are skipped", table.header.start);
            layout.warnings.push(Warning::file(message));
        }
        Ok(Opened::Rows(Box::new(SheetTable { sheet, table, layout })))
    }
}

struct SheetTable {
    sheet: Sheet,
    table: Table,
    layout: Layout,
}

impl Rows for SheetTable {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn total(&self) -> Option<u64> {
        Some(self.sheet.len() as u64)
    }

    fn read(&self, sink: &mut dyn FnMut(Chunk) -> ControlFlow<()>) -> Result<()> {
        let mut builder = ChunkBuilder::default();
        for at in self.table.rows.clone() {
            self.sheet.hand_over(at, &self.table, &mut builder);
            if let Some(chunk) = builder.full(at as u64)
                && sink(chunk).is_break()
            {
                return Ok(());
            }
        }
        // Nothing is left to do if the last rows are not wanted.
        let _ = sink(builder.take(self.sheet.len() as u64));
        Ok(())
    }
}

type Source = BufReader<File>;

/// An open workbook.
struct Book {
    sheets: Vec<String>,
    warnings: Vec<Warning>,
    book: Sheets<Source>,
}

impl Book {
    fn open(input: &Input) -> Result<Self> {
        let shown = &input.shown;
        let head = input.first_bytes()?;
        if !Excel.detect(&head) {
            return Err(not_one(shown, Format::Excel));
        }
        let file = || input.open().map(BufReader::new);
        let broken = |e: &dyn std::fmt::Display| damaged(shown, Format::Excel, e);
        let book: Sheets<Source> = if head.starts_with(b"PK") {
            let part = workbook_part(input)?;
            guarded(shown, Format::Excel, || {
                Ok(match part {
                    Part::Xlsx => {
                        Sheets::Xlsx(open_workbook_from_rs::<Xlsx<_>, _>(file()?).map_err(|e| broken(&e))?)
                    }
                    Part::Xlsb => {
                        Sheets::Xlsb(open_workbook_from_rs::<Xlsb<_>, _>(file()?).map_err(|e| broken(&e))?)
                    }
                    Part::Ods => {
                        Sheets::Ods(open_workbook_from_rs::<Ods<_>, _>(file()?).map_err(|e| broken(&e))?)
                    }
                })
            })?
        } else {
            guarded(shown, Format::Excel, || {
                Ok(Sheets::Xls(open_workbook_from_rs::<Xls<_>, _>(file()?).map_err(|e| broken(&e))?))
            })?
        };
        let sheets = book.sheet_names();
        if sheets.is_empty() {
            return Err(Error::invalid(format!("the workbook `{}` holds no sheets", shown.display()))
                .hint("choose a workbook with a table in it"));
        }
        Ok(Self { sheets, warnings: Vec::new(), book })
    }

    /// The sheet that the options name, or the first that holds something, within the range.
    fn sheet(&mut self, request: &Request<'_>) -> Result<(String, Sheet)> {
        let (input, options) = (request.input, request.options);
        let shown = &input.shown;
        let area = match &options.range {
            Some(range) => Some(Area::parse(range).ok_or_else(|| {
                Error::invalid(format!("`{range}` is no range of cells"))
                    .hint("write it as `B3:F200` or `B3:F`")
            })?),
            None => None,
        };
        let names = match &input.table {
            Some(name) if self.sheets.contains(name) => vec![name.clone()],
            Some(name) => {
                return Err(Error::invalid(format!(
                    "the workbook `{}` holds no sheet `{name}`",
                    shown.display()
                ))
                .hint(format!("it holds {}", listed(&self.sheets))));
            }
            None => self.sheets.clone(),
        };
        for name in names {
            let mut sheet = guarded(shown, Format::Excel, || self.read(request, &name))?;
            sheet.sort();
            if let Some(area) = &area {
                sheet.crop(area);
            }
            if sheet.len() > 0 {
                return Ok((name, sheet));
            }
        }
        let what = if area.is_some() { "range" } else { "workbook" };
        Err(Error::invalid(format!("the {what} of `{}` holds nothing but empty cells", shown.display()))
            .hint("choose another sheet or another range"))
    }

    fn read(&mut self, request: &Request<'_>, name: &str) -> Result<Sheet> {
        let shown = &request.input.shown;
        let mut filler = Filler { request, sheet: Sheet::default(), cells: 0 };
        let broken = |e: &dyn std::fmt::Display| damaged(shown, Format::Excel, e);
        if let Sheets::Xlsx(book) = &mut self.book {
            let merged = book.merge_cells_by_sheet_name(name).map_err(|e| broken(&e))?;
            if !merged.is_empty() {
                let message = format!("{} merged areas hold a value only in their first cell", merged.len());
                self.warnings.push(Warning::file(message));
            }
            let mut cells = book.worksheet_cells_reader(name).map_err(|e| broken(&e))?;
            while let Some(cell) = cells.next_cell().map_err(|e| broken(&e))? {
                let (row, column) = cell.get_position();
                filler.add(row, column, &Data::from(cell.get_value().clone()))?;
                if request.extent == Extent::Head && filler.sheet.len() > HEAD_ROWS {
                    break;
                }
            }
            return Ok(filler.sheet);
        }
        let range = self.book.worksheet_range(name).map_err(|e| broken(&e))?;
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            filler.add(top + row as u32, left + column as u32, value)?;
        }
        Ok(filler.sheet)
    }
}

/// The kinds of workbooks that are ZIP archives.
enum Part {
    Xlsx,
    Xlsb,
    Ods,
}

/// Which kind of workbook the archive is, and that it does not unpack to more than memory holds.
fn workbook_part(input: &Input) -> Result<Part> {
    let shown = &input.shown;
    let archive = pack::open_zip(&input.path)?;
    if archive.decompressed_size().is_none_or(|size| size > MAX_UNPACKED_BYTES) {
        return Err(Error::invalid(format!("the workbook `{}` unpacks to more than 4 GB", shown.display()))
            .hint("export the sheet as CSV, then import that file"));
    }
    let holds = |name: &str| archive.index_for_name(name).is_some();
    if holds("xl/workbook.xml") {
        Ok(Part::Xlsx)
    } else if holds("xl/workbook.bin") {
        Ok(Part::Xlsb)
    } else if holds("content.xml") && holds("mimetype") {
        Ok(Part::Ods)
    } else {
        Err(Error::invalid(format!("`{}` is a document, not a table", shown.display()))
            .hint("export the table in it as CSV, then import that file"))
    }
}

/// Puts cells into a sheet.
struct Filler<'a> {
    request: &'a Request<'a>,
    sheet: Sheet,
    cells: u64,
}

impl Filler<'_> {
    fn add(&mut self, row: u32, column: u32, value: &Data) -> Result<()> {
        self.cells += 1;
        if self.cells % STEP_CELLS == 1 {
            self.request.progress.step("looking", self.sheet.len() as u64, None)?;
        }
        let Some((origin, text)) = cell(value, self.request.options) else { return Ok(()) };
        if self.sheet.add(row, column, origin, &text) {
            return Ok(());
        }
        let shown = self.request.input.shown.display();
        Err(Error::invalid(format!("the sheet of `{shown}` is too large"))
            .hint("export it as CSV, then import that file"))
    }
}

/// What a cell says; nothing for one that is empty, an error, or a word for missing.
fn cell(value: &Data, options: &ParseOptions) -> Option<(Origin, String)> {
    match value {
        Data::Empty | Data::Error(_) => None,
        Data::Int(value) => Some((Origin::Value, value.to_string())),
        // Rust writes the shortest digits that read back as the same number.
        Data::Float(value) => Some((Origin::Value, value.to_string())),
        Data::Bool(value) => Some((Origin::Value, value.to_string())),
        Data::String(text) => {
            let is_missing = text.trim().is_empty() || options.missing.iter().any(|word| word == text.trim());
            (!is_missing).then(|| (Origin::Text, text.clone()))
        }
        Data::DateTime(moment) if moment.is_duration() => Some((Origin::Value, moment.as_f64().to_string())),
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, ms) = moment.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}:{second:02}");
            // Less than a day is a time of day without a date.
            Some(if moment.as_f64() < 1.0 {
                (Origin::Text, time)
            } else {
                (Origin::Value, format!("{year:04}-{month:02}-{day:02}T{time}.{ms:03}"))
            })
        }
        Data::DateTimeIso(text) => Some((Origin::Value, text.clone())),
        Data::DurationIso(text) => Some((Origin::Text, text.clone())),
    }
}
