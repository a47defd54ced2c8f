//! Guesses how a file is to be read by looking at its beginning, never at its name: the encoding
//! from the bytes, delimiter and quotes by cutting the text in every likely way and taking the
//! one whose rows agree best, the rest from the cells.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use base::{Error, Result};

use super::cell::{CellReader, Class};
use super::decode::{decode_all, encoding_of, open_regular};
use super::encoding;
use super::options::{DateOrder, ParseOptions, Sniffed, Warning};
use super::records::{Chunk, Dialect, MAX_RECORD_BYTES, Record, cut};

/// How much of the file is looked at for everything but the encoding.
const HEAD_BYTES: usize = 1 << 20;
/// Rows that are looked at in each way of cutting.
const LOOKED_AT_ROWS: usize = 500;
/// Bytes that are cut in each way: enough for the rows of nearly any file.
const LOOKED_AT_BYTES: usize = 256 << 10;

const DELIMITERS: [u8; 6] = [b',', b';', b'\t', b'|', b'^', 0x01];

/// The beginning of a file as UTF-8 that ends at a line end, or at the end of the file.
pub(super) struct Head {
    pub(super) text: Vec<u8>,
    /// True if the text is the whole file.
    pub(super) is_whole: bool,
}

impl Head {
    /// Reads the beginning of `path` in the encoding of this name.
    pub(super) fn read(path: &Path, encoding_name: &str) -> Result<Self> {
        let encoding = encoding_of(encoding_name)?;
        let bytes = read_head(path)?;
        let is_whole = bytes.len() < HEAD_BYTES;
        let mut text = decode_all(encoding, &bytes);
        if !is_whole {
            // The last line may be cut short; without any line end the piece has to do.
            if let Some(last) = text.iter().rposition(|b| matches!(b, b'\n' | b'\r')) {
                text.truncate(last + 1);
            }
        }
        Ok(Self { text, is_whole })
    }
}

/// A first piece of the file; a longer one where even the first lines are longer.
fn read_head(path: &Path) -> Result<Vec<u8>> {
    let (mut file, size_bytes) = open_regular(path)?;
    let mut bytes = Vec::new();
    let mut wanted = HEAD_BYTES;
    loop {
        let more = (wanted - bytes.len()) as u64;
        file.by_ref().take(more).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, &e))?;
        let lines = bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).take(5).count();
        if lines == 5 || bytes.len() as u64 >= size_bytes || wanted >= MAX_RECORD_BYTES {
            return Ok(bytes);
        }
        wanted *= 2;
    }
}

/// Guesses how to read the file at `path`.
///
/// # Errors
/// `invalid_input` for a file that is empty, a folder, not text or of another format.
pub fn sniff(path: &Path) -> Result<Sniffed> {
    let head_bytes = read_head(path)?;
    encoding::refuse_other_formats(path, &head_bytes)?;
    let (encoding, mut warnings) = encoding::guess(path, &head_bytes)?;
    let head = Head::read(path, encoding.name())?;
    encoding::refuse_binary(path, &head.text)?;
    if head.text.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid(format!("`{}` holds nothing but blank lines", path.display()))
            .hint("choose a file with at least a header and one row"));
    }
    let mut options = ParseOptions { encoding: encoding.name().to_owned(), ..ParseOptions::default() };
    let declared = declared_delimiter(&head.text);
    let mut text = head.text;
    if let Some((delimiter, end)) = declared {
        options.delimiter = char::from(delimiter);
        options.skip_lines = 1;
        text.drain(..end);
    }
    let fit = best_cut(&text, declared.map(|(delimiter, _)| delimiter), head.is_whole);
    apply(&fit, &text, head.is_whole, &mut options);
    if options.skip_lines > u64::from(declared.is_some()) {
        let message = format!("{} lines before the table are skipped", options.skip_lines);
        warnings.push(Warning::file(message));
    }
    if fit.agreement < 0.9 {
        let message = format!(
            "only {:.0} of 100 rows have the same number of cells; check the delimiter",
            fit.agreement * 100.0
        );
        warnings.push(Warning::file(message));
    }
    Ok(Sniffed { options, confidence: fit.agreement, warnings })
}

/// `sep=;` on the first line, as Excel writes and reads it.
fn declared_delimiter(text: &[u8]) -> Option<(u8, usize)> {
    let end = text.iter().position(|b| *b == b'\n')? + 1;
    let line = text[..end].trim_ascii_end();
    let mark = line.strip_prefix(b"sep=").or(line.strip_prefix(b"SEP="))?;
    match mark {
        [delimiter] => Some((*delimiter, end)),
        // The trimming took a tab away.
        [] if text[4] == b'\t' => Some((b'\t', end)),
        _ => None,
    }
}

/// One way of cutting the text and how well it fits.
struct Fit {
    dialect: Dialect,
    width: usize,
    /// The share of rows with the most frequent number of cells.
    agreement: f64,
    score: f64,
}

fn best_cut(text: &[u8], declared: Option<u8>, is_whole: bool) -> Fit {
    let end = match text.get(LOOKED_AT_BYTES..) {
        Some(_) => {
            text[..LOOKED_AT_BYTES].iter().rposition(|b| *b == b'\n').map_or(LOOKED_AT_BYTES, |at| at + 1)
        }
        None => text.len(),
    };
    let piece = &text[..end];
    let is_whole = is_whole && end == text.len();
    let comment = piece.first().copied().filter(|first| matches!(first, b'#' | b'%'));
    let has_escapes = piece.windows(2).any(|pair| matches!(pair, [b'\\', b'"' | b'\'']));
    let mut best: Option<Fit> = None;
    for delimiter in declared.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]) {
        for quote in [Some(b'"'), Some(b'\''), None] {
            for escape in [None, Some(b'\\')] {
                if escape.is_some() && (!has_escapes || quote.is_none()) {
                    continue;
                }
                let dialect = Dialect { delimiter, quote, escape, comment, trim: false };
                let fit = measure(piece, dialect, is_whole);
                // The first of equals stays: the order above is the order of what is usual.
                if best.as_ref().is_none_or(|best| fit.score > best.score + 1e-9) {
                    best = Some(fit);
                }
            }
        }
    }
    best.expect("at least one delimiter is tried")
}

fn measure(piece: &[u8], dialect: Dialect, is_whole: bool) -> Fit {
    let chunk = cut(piece.to_vec(), dialect, 0, is_whole);
    let readers = [cell_reader('.'), cell_reader(',')];
    let mut widths: BTreeMap<usize, u64> = BTreeMap::new();
    let (mut rows, mut faults, mut cells, mut typed) = (0_u64, 0_u64, 0_u64, 0_u64);
    let (mut quoted, mut wrapped) = (0_u64, 0_u64);
    for record in chunk.records().take(LOOKED_AT_ROWS) {
        rows += 1;
        if record.fault().is_some() {
            faults += 1;
            continue;
        }
        *widths.entry(record.len()).or_default() += 1;
        for at in 0..record.len().min(100) {
            let (text, is_quoted) = record.cell(at);
            cells += 1;
            quoted += u64::from(is_quoted);
            wrapped += u64::from(!is_quoted && is_wrapped(&text));
            let is_text = |reader: &CellReader| matches!(reader.class(&text, is_quoted), Class::Text);
            typed += u64::from(!readers.iter().all(is_text));
        }
    }
    // Of equally frequent widths the larger one: more cells are less likely by chance.
    let (width, same) = widths.iter().map(|(w, n)| (*w, *n)).max_by_key(|(w, n)| (*n, *w)).unwrap_or((1, 0));
    let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
    let agreement = share(same, rows);
    let mut score =
        agreement - share(faults, rows) + 0.3 * share(typed, cells) + 0.02 * (width.min(10) as f64);
    if width == 1 {
        // Every text can be cut into lines of one cell, so that says little.
        score -= 0.6;
    }
    if wrapped > 0 && dialect.quote != Some(b'"') {
        // A cell within double quotes says what they are for, even where other quotes are broken.
        score -= 0.5;
    }
    if quoted == 0 && dialect.quote != Some(b'"') {
        score -= 0.05;
    }
    Fit { dialect, width, agreement, score }
}

/// True for `"text"`.
fn is_wrapped(text: &str) -> bool {
    text.len() >= 2 && text.starts_with('"') && text.ends_with('"')
}

fn cell_reader(decimal: char) -> CellReader {
    CellReader::new(&ParseOptions { decimal, ..ParseOptions::default() })
}

/// Fills in what follows from the way of cutting and from the cells.
fn apply(fit: &Fit, text: &[u8], is_whole: bool, options: &mut ParseOptions) {
    let mut dialect = fit.dialect;
    options.delimiter = char::from(dialect.delimiter);
    options.quote = dialect.quote.map(char::from);
    options.escape = dialect.escape.map(char::from);
    let uncommented = cut(text.to_vec(), Dialect { comment: None, ..dialect }, 0, is_whole);
    // A first line such as `#id,name` has as many cells as the table: it is the header.
    let is_header = uncommented.records().next().is_some_and(|r| r.len() == fit.width && fit.width > 1);
    if is_header {
        dialect.comment = None;
    }
    options.comment = dialect.comment.map(char::from);
    let chunk = cut(text.to_vec(), dialect, 0, is_whole);
    options.trim = is_padded(&chunk, fit.width);
    let preamble = preamble_lines(&chunk, fit.width);
    options.skip_lines += preamble;
    dialect.trim = options.trim;
    let table = cut(text.to_vec(), dialect, preamble, is_whole);
    let sample = Sample::take(&table, width_without_line_ends(&table, fit.width));
    sample.guess_marks(options);
    options.header = sample.has_header(options);
    options.quoted_missing = sample.is_all_quoted();
}

/// True if nearly every cell after the first of a row begins with a space.
fn is_padded(chunk: &Chunk, width: usize) -> bool {
    let (mut cells, mut padded) = (0_u64, 0_u64);
    for record in chunk.records().take(LOOKED_AT_ROWS).filter(|r| r.len() == width) {
        for at in 1..record.len() {
            cells += 1;
            padded += u64::from(record.cell(at).0.starts_with(' '));
        }
    }
    cells > 0 && padded as f64 >= 0.9 * cells as f64
}

/// Physical lines before the first row that looks like one of the table: a title or notes have
/// at most one cell that is not empty.
fn preamble_lines(chunk: &Chunk, width: usize) -> u64 {
    if width < 2 {
        return 0;
    }
    let mut is_first = true;
    for record in chunk.records().take(100) {
        let full = (0..record.len()).filter(|at| !record.cell(*at).0.trim().is_empty()).count();
        let is_note = full <= 1 && (record.len() != width || width > 2);
        if record.fault().is_none() && !is_note {
            return if is_first { 0 } else { record.line() - 1 };
        }
        is_first = false;
    }
    0
}

/// The width of the table: one less than that of its rows where all rows but the header end in
/// a delimiter.
fn width_without_line_ends(chunk: &Chunk, width: usize) -> usize {
    let mut records = chunk.records().take(LOOKED_AT_ROWS);
    let is_short = records.next().is_some_and(|first| first.len() + 1 == width && width > 2);
    let mut rows = records.filter(|r| r.len() == width);
    let is_ended = |r: Record<'_>| r.cell(width - 1).0.is_empty();
    if is_short && rows.all(is_ended) { width - 1 } else { width }
}

/// The rows of the table, without empty cells beyond its width.
struct Sample {
    rows: Vec<Vec<(String, bool)>>,
}

impl Sample {
    fn take(chunk: &Chunk, width: usize) -> Self {
        let is_empty = |r: Record<'_>, from: usize| (from..r.len()).all(|at| r.cell(at).0.is_empty());
        let fits = |r: &Record<'_>| r.len() == width || (r.len() == width + 1 && is_empty(*r, width));
        let rows = chunk.records().take(LOOKED_AT_ROWS).filter(fits);
        let row = |r: Record<'_>| {
            (0..width)
                .map(|at| {
                    let (text, is_quoted) = r.cell(at);
                    (text.trim().to_owned(), is_quoted)
                })
                .collect()
        };
        Self { rows: rows.map(row).collect() }
    }

    fn cells(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flatten().map(|(text, _)| text.as_str())
    }

    /// The decimal mark, the mark of thousands and the order of dates.
    fn guess_marks(&self, options: &mut ParseOptions) {
        let is_number = |decimal, thousands| {
            let reader = CellReader::new(&ParseOptions { decimal, thousands, ..ParseOptions::default() });
            move |text: &str| matches!(reader.class(text, false), Class::Number(_) | Class::Integer(_))
        };
        let plain = is_number('.', None);
        let gains = |decimal, thousands, beyond: &dyn Fn(&str) -> bool| {
            let reads = is_number(decimal, thousands);
            self.cells().filter(|text| reads(text) && !beyond(text)).count()
        };
        let none = |_: &str| false;
        let point = self.cells().filter(|text| text.contains('.') && plain(text)).count();
        let comma = is_number(',', None);
        let with_comma = self.cells().filter(|text| text.contains(',') && comma(text)).count();
        // `1.234,56` is a number in neither reading without its thousands.
        let grouped_comma = gains(',', Some('.'), &comma);
        let grouped_point = gains('.', Some(','), &plain);
        let is_comma = with_comma + grouped_comma > point.max(grouped_point);
        options.decimal = if is_comma { ',' } else { '.' };
        let marks: &[char] = if is_comma { &['.', ' ', '\''] } else { &[',', ' ', '\''] };
        let base = gains(options.decimal, None, &none);
        let with = |mark: char| gains(options.decimal, Some(mark), &none);
        options.thousands = marks
            .iter()
            .copied()
            .map(|mark| (with(mark), mark))
            .filter(|(n, _)| *n > base)
            .max_by_key(|(n, _)| *n)
            .map(|(_, mark)| mark);
        options.date_order = self.date_order();
    }

    fn date_order(&self) -> DateOrder {
        let reader = CellReader::new(&ParseOptions::default());
        let (mut day_first, mut month_first, mut dotted) = (0_u64, 0_u64, 0_u64);
        for text in self.cells() {
            if let Class::Time(moment) = reader.class(text, false) {
                day_first += u64::from(moment.month_first.is_none());
                month_first += u64::from(moment.day_first.is_none());
                // Dates with points are written day first wherever they are usual.
                dotted += u64::from(text.as_bytes().iter().take(3).any(|b| *b == b'.'));
            }
        }
        let is_day_first = day_first > month_first || (day_first == month_first && dotted > 0);
        if is_day_first { DateOrder::DayFirst } else { DateOrder::MonthFirst }
    }

    /// True if the first row names the columns: its cells are texts and differ from each other,
    /// and it is unlike the rows below it or at least does not occur among them.
    fn has_header(&self, options: &ParseOptions) -> bool {
        let Some((first, rest)) = self.rows.split_first() else {
            return true;
        };
        let reader = CellReader::new(options);
        let class = |cell: &(String, bool)| reader.class(&cell.0, false);
        let is_value = |class: Class| {
            !matches!(class, Class::Text | Class::Missing | Class::QuotedMissing | Class::Mark)
        };
        if first.iter().any(|cell| is_value(class(cell))) {
            return false;
        }
        if rest.is_empty() || first.iter().all(|cell| cell.0.is_empty()) {
            return true;
        }
        let has_typed_column = (0..first.len()).any(|at| {
            rest.iter().all(|row| !matches!(class(&row[at]), Class::Text))
                && rest.iter().any(|row| is_value(class(&row[at])))
        });
        let mut names: Vec<&str> =
            first.iter().map(|cell| cell.0.as_str()).filter(|name| !name.is_empty()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        let repeats = (0..first.len())
            .filter(|at| !first[*at].0.is_empty() && rest.iter().any(|row| row[*at].0 == first[*at].0))
            .count();
        has_typed_column || (names.len() == all && repeats == 0)
    }

    /// True if nearly every cell is quoted, so that quotes say nothing about a cell.
    fn is_all_quoted(&self) -> bool {
        let cells = self.rows.iter().flatten().count();
        let quoted = self.rows.iter().flatten().filter(|(_, is_quoted)| *is_quoted).count();
        cells > 0 && quoted as f64 >= 0.95 * cells as f64
    }
}
