//! Guesses how text with delimiters is to be read by looking at its beginning: the encoding from
//! the bytes, delimiter and quotes by cutting the text in every likely way and taking the
//! one whose rows agree best, the rest from the cells.

use std::collections::BTreeMap;
use std::io::Read as _;

use base::{Error, Result};

use super::cell::{CellReader, Class};
use super::chunk::{Chunk, Dialect, MAX_RECORD_BYTES, Origin, Record};
use super::decode::{decode_all, encoding_of};
use super::encoding;
use super::input::Input;
use super::options::{ParseOptions, Sniffed, Warning};
use super::records::cut;
use super::sample::Sample;

/// How much of the file is looked at for everything but the encoding.
const HEAD_BYTES: usize = 1 << 20;
/// Rows that are looked at in each way of cutting.
const LOOKED_AT_ROWS: usize = 500;
/// Bytes that are cut in each way: enough for the rows of nearly any file.
const LOOKED_AT_BYTES: usize = 256 << 10;

const DELIMITERS: [u8; 6] = [b',', b';', b'\t', b'|', b'^', 0x01];

/// Delimiters of which a run is one: spaces that align columns, and `::`. Both stand in much text
/// that is no table, so they are taken only where everything speaks for them.
const RUNS: [u8; 2] = [b' ', b':'];
const RUN_PENALTY: f64 = 0.2;

/// The beginning of a file as UTF-8 that ends at a line end, or at the end of the file.
pub(super) struct Head {
    pub(super) text: Vec<u8>,
    /// True if the text is the whole file.
    pub(super) is_whole: bool,
}

impl Head {
    /// Reads the beginning of the file in the encoding of this name.
    pub(super) fn read(input: &Input, encoding_name: &str) -> Result<Self> {
        let encoding = encoding_of(encoding_name)?;
        let bytes = read_head(input)?;
        let is_whole = bytes.len() as u64 >= input.size_bytes && input.is_whole;
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
fn read_head(input: &Input) -> Result<Vec<u8>> {
    let mut file = input.open()?;
    let mut bytes = Vec::new();
    let mut wanted = HEAD_BYTES;
    loop {
        let more = (wanted - bytes.len()) as u64;
        file.by_ref().take(more).read_to_end(&mut bytes).map_err(|e| Error::io("read", &input.shown, &e))?;
        let lines = bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).take(5).count();
        if lines == 5 || bytes.len() as u64 >= input.size_bytes || wanted >= MAX_RECORD_BYTES {
            return Ok(bytes);
        }
        wanted *= 2;
    }
}

/// Guesses how to read a text file.
///
/// # Errors
/// `invalid_input` for a file that is not text or of another format.
pub(super) fn sniff_text(input: &Input) -> Result<Sniffed> {
    let shown = &input.shown;
    let head_bytes = read_head(input)?;
    encoding::refuse_other_formats(shown, &head_bytes)?;
    let (encoding, mut warnings) = encoding::guess(input, &head_bytes)?;
    let head = Head::read(input, encoding.name())?;
    encoding::refuse_binary(shown, &head.text)?;
    if head.text.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid(format!("`{}` holds nothing but blank lines", shown.display()))
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
    Ok(Sniffed { options, confidence: fit.agreement, tables: Vec::new(), warnings })
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
    /// The share of cells below the first row that are no texts.
    typed_below: f64,
    /// True if a cell ends in what may be the true delimiter.
    ends_in_marks: bool,
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
    for delimiter in RUNS.into_iter().filter(|delimiter| declared.is_none() && may_run(piece, *delimiter)) {
        let dialect =
            Dialect { delimiter, quote: Some(b'"'), escape: None, comment, trim: false, merge: true };
        best = best.or(Some(measure(piece, dialect, is_whole)).filter(Fit::is_certain));
    }
    for delimiter in declared.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]) {
        let trims: &[bool] = if has_padded_quotes(piece, delimiter) { &[false, true] } else { &[false] };
        for quote in [Some(b'"'), Some(b'\''), None] {
            for escape in [None, Some(b'\\')] {
                if escape.is_some() && (!has_escapes || quote.is_none()) {
                    continue;
                }
                for trim in trims.iter().copied() {
                    let dialect = Dialect { delimiter, quote, escape, comment, trim, merge: false };
                    let fit = measure(piece, dialect, is_whole);
                    // The first of equals stays: the order above is the order of what is usual.
                    if best.as_ref().is_none_or(|best| fit.score > best.score + 1e-9) {
                        best = Some(fit);
                    }
                }
            }
        }
    }
    best.expect("at least one delimiter is tried")
}

/// True if a quote stands behind a delimiter and a space, where it says nothing unless spaces are
/// trimmed.
fn has_padded_quotes(piece: &[u8], delimiter: u8) -> bool {
    let is_padded = |three: &[u8]| matches!(three, [first, b' ', b'"' | b'\''] if *first == delimiter);
    piece.windows(3).any(is_padded)
}

/// True if runs of the delimiter can be one: `::` must stand in nearly every line.
fn may_run(piece: &[u8], delimiter: u8) -> bool {
    let lines = piece.iter().filter(|byte| **byte == b'\n').count();
    delimiter == b' ' || piece.windows(2).filter(|pair| *pair == b"::").count() >= lines.max(1)
}

impl Fit {
    /// True for rows that agree in a width and kinds that text does not have by chance.
    fn is_certain(&self) -> bool {
        if self.ends_in_marks {
            return false;
        }
        let least_typed = if self.width == 2 { 0.9 } else { 0.5 };
        self.agreement > 0.98 && self.width > 1 && self.typed_below >= least_typed
    }
}

fn measure(piece: &[u8], dialect: Dialect, is_whole: bool) -> Fit {
    let chunk = cut(piece.to_vec(), dialect, 0, is_whole);
    let readers = [cell_reader('.'), cell_reader(',')];
    let mut widths: BTreeMap<usize, u64> = BTreeMap::new();
    let (mut rows, mut faults, mut cells, mut typed) = (0_u64, 0_u64, 0_u64, 0_u64);
    let (mut quoted, mut wrapped) = (0_u64, 0_u64);
    let (mut first_cells, mut first_typed) = (0_u64, 0_u64);
    let mut ends_in_marks = false;
    for record in chunk.records().take(LOOKED_AT_ROWS) {
        rows += 1;
        if record.fault().is_some() {
            faults += 1;
            continue;
        }
        *widths.entry(record.len()).or_default() += 1;
        for at in 0..record.len().min(100) {
            let (text, origin) = record.cell(at);
            cells += 1;
            quoted += u64::from(origin == Origin::Quoted);
            ends_in_marks |= text.ends_with([',', ';', '|']);
            wrapped += u64::from(origin == Origin::Bare && is_wrapped(&text));
            let is_text = |reader: &CellReader| matches!(reader.class(&text, origin), Class::Text);
            typed += u64::from(!readers.iter().all(is_text));
        }
        if rows == 1 {
            (first_cells, first_typed) = (cells, typed);
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
    if dialect.merge {
        score -= RUN_PENALTY;
    }
    let typed_below = share(typed - first_typed, cells - first_cells);
    Fit { dialect, width, agreement, typed_below, ends_in_marks, score }
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
    options.merge_delimiters = dialect.merge;
    let uncommented = cut(text.to_vec(), Dialect { comment: None, ..dialect }, 0, is_whole);
    // A first line such as `#id,name` has as many cells as the table: it is the header.
    let is_header = uncommented.records().next().is_some_and(|r| r.len() == fit.width && fit.width > 1);
    if is_header {
        dialect.comment = None;
    }
    options.comment = dialect.comment.map(char::from);
    let chunk = cut(text.to_vec(), dialect, 0, is_whole);
    options.trim = dialect.trim || is_padded(&chunk, fit.width);
    let preamble = preamble_lines(&chunk, fit.width);
    options.skip_lines += preamble;
    dialect.trim = options.trim;
    let table = cut(text.to_vec(), dialect, preamble, is_whole);
    let sample = Sample::take(&table, width_without_line_ends(&table, fit.width), LOOKED_AT_ROWS);
    sample.guess_marks(options);
    options.header = sample.has_header(options) || is_narrow_header(&table, fit.width, options);
    options.header_rows = if options.header && sample.has_groups(options) { 2 } else { 1 };
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

/// True if the first row is narrower than the others and holds nothing but names.
fn is_narrow_header(chunk: &Chunk, width: usize, options: &ParseOptions) -> bool {
    let reader = CellReader::new(options);
    let Some(first) = chunk.records().next().filter(|first| (2..width).contains(&first.len())) else {
        return false;
    };
    let is_text = |at: usize| {
        let (text, origin) = first.cell(at);
        matches!(reader.class(&text, origin), Class::Text)
    };
    (0..first.len()).all(is_text)
}
