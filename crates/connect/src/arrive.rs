//! The text of a `copy … to stdout` as batches in an Arrow IPC file. What a `numeric` column needs is
//! known at its end only, so its digits are written as text first, and as decimals then.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use base::{Error, Progress, Result, bytes, count};

use crate::Answer;
use crate::field::{Column, Kind};

/// Rows of a batch, unless they are long.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 16 << 20;
/// A row longer than this is a fault, not a row.
const ROW_BYTES: usize = 256 << 20;
/// The most digits of Arrow's decimals.
const DIGITS: (usize, usize) = (38, 76);

/// Takes an answer piece by piece.
pub(crate) struct Arrival<'a> {
    out: &'a Path,
    most_bytes: u64,
    columns: Vec<Column>,
    schema: SchemaRef,
    writer: FileWriter<BufWriter<File>>,
    /// The beginning of a row whose end has not come yet.
    rest: Vec<u8>,
    cell: Vec<u8>,
    batch_rows: usize,
    batch_bytes: usize,
    bytes: u64,
    pub(crate) rows: u64,
}

impl<'a> Arrival<'a> {
    /// Begins the file.
    ///
    /// # Errors
    /// The operating system's errors.
    pub(crate) fn new(columns: Vec<Column>, out: &'a Path, most_bytes: u64) -> Result<Self> {
        let fields: Vec<Field> = columns.iter().map(Column::field).collect();
        let schema = Arc::new(Schema::new(fields));
        let writer = writer(out, &schema)?;
        let (rest, cell) = (Vec::new(), Vec::new());
        let (batch_rows, batch_bytes, bytes, rows) = (0, 0, 0, 0);
        Ok(Self {
            out,
            most_bytes,
            columns,
            schema,
            writer,
            rest,
            cell,
            batch_rows,
            batch_bytes,
            bytes,
            rows,
        })
    }

    /// Takes the next piece, which may end anywhere.
    ///
    /// # Errors
    /// `invalid_input` for an answer that is too large; the operating system's errors.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<()> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.most_bytes {
            let most = bytes(self.most_bytes);
            return Err(Error::invalid(format!("the answer is larger than {most}"))
                .hint("ask for fewer rows or columns, or allow more with `--max-size`"));
        }
        let mut buffer = std::mem::take(&mut self.rest);
        buffer.extend_from_slice(piece);
        let mut start = 0;
        // An end of line within a value is written as two other characters.
        while let Some(length) = buffer[start..].iter().position(|byte| *byte == b'\n') {
            self.row(&buffer[start..start + length])?;
            start += length + 1;
        }
        buffer.drain(..start);
        if buffer.len() > ROW_BYTES {
            return Err(Error::invalid(format!("row {} is longer than 256 MB", self.rows + 1))
                .hint("leave out the column with the long values"));
        }
        self.rest = buffer;
        Ok(())
    }

    fn row(&mut self, line: &[u8]) -> Result<()> {
        let odd = |rows: u64| Error::internal(format!("row {} of the answer was not understood", rows + 1));
        let mut fields = line.split(|byte| *byte == b'\t');
        for column in &mut self.columns {
            let field = fields.next().ok_or_else(|| odd(self.rows))?;
            let is_missing = field == b"\\N";
            unescape(field, &mut self.cell);
            let text = std::str::from_utf8(&self.cell).map_err(|e| odd(self.rows).because(e))?;
            if !column.push((!is_missing).then_some(text)) {
                return Err(odd(self.rows).because(format!("`{}` is not what its type says", column.name)));
            }
        }
        self.rows += 1;
        self.batch_rows += 1;
        self.batch_bytes += line.len();
        if self.batch_rows >= BATCH_ROWS || self.batch_bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        (self.batch_rows, self.batch_bytes) = (0, 0);
        let arrays = self.columns.iter_mut().map(Column::take).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays)
            .map_err(|e| Error::internal("cannot make a batch of rows").because(e))?;
        self.writer.write(&batch).map_err(|e| failed(self.out, &e))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The operating system's errors; `cancelled`.
    pub(crate) fn finish(mut self, progress: &Progress) -> Result<Answer> {
        if self.batch_rows > 0 {
            self.flush()?;
        }
        self.writer.finish().map_err(|e| failed(self.out, &e))?;
        if self.columns.iter().any(|column| column.kind == Kind::Numeric) {
            self.rewrite(progress)?;
        }
        let lost = self.columns.iter().filter(|column| column.lost > 0).map(|column| {
            let (name, lost) = (&column.name, count(column.lost));
            format!("{lost} values of `{name}` are beyond what its kind can hold, and missing")
        });
        let wide =
            self.columns.iter().filter(|column| column.kind == Kind::Numeric && decimal(column).is_none());
        let wide = wide.map(|column| format!("`{}` is text because it has more than 76 digits", column.name));
        Ok(Answer { rows: self.rows, warnings: lost.chain(wide).collect() })
    }

    /// Writes the file once more, with decimals.
    fn rewrite(&self, progress: &Progress) -> Result<()> {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|column| match decimal(column) {
                Some(data_type) if column.kind == Kind::Numeric => Field::new(&column.name, data_type, true),
                _ => column.field(),
            })
            .collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let folder = self.out.parent().unwrap_or(Path::new("."));
        let temporary =
            tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::io("write in", folder, &e))?;
        let file = File::open(self.out).map_err(|e| Error::io("read", self.out, &e))?;
        let reader = FileReader::try_new(file, None).map_err(|e| failed(self.out, &e))?;
        let mut writer = writer(temporary.path(), &schema)?;
        let mut rows = 0;
        for batch in reader {
            let batch = batch.map_err(|e| failed(self.out, &e))?;
            rows += batch.num_rows() as u64;
            progress.step("writing", rows, Some(self.rows))?;
            let columns = batch.columns().iter().zip(schema.fields());
            let arrays = columns.map(|(array, field)| cast(array, field.data_type()));
            let batch = arrays
                .collect::<Result<Vec<_>, ArrowError>>()
                .and_then(|arrays| RecordBatch::try_new(schema.clone(), arrays))
                .map_err(|e| Error::internal("cannot make decimals").because(e))?;
            writer.write(&batch).map_err(|e| failed(self.out, &e))?;
        }
        writer.finish().map_err(|e| failed(self.out, &e))?;
        temporary.persist(self.out).map(drop).map_err(|e| Error::io("write", self.out, &e.error))
    }
}

/// The decimal that holds every number of the column, if there is one.
fn decimal(column: &Column) -> Option<DataType> {
    let digits = (column.digits.before + column.digits.behind).max(1);
    let scale = i8::try_from(column.digits.behind).ok()?;
    match digits {
        _ if digits <= DIGITS.0 => Some(DataType::Decimal128(digits as u8, scale)),
        _ if digits <= DIGITS.1 => Some(DataType::Decimal256(digits as u8, scale)),
        _ => None,
    }
}

fn writer(path: &Path, schema: &SchemaRef) -> Result<FileWriter<BufWriter<File>>> {
    let file = File::create(path).map_err(|e| Error::io("write", path, &e))?;
    FileWriter::try_new(BufWriter::new(file), schema).map_err(|e| failed(path, &e))
}

fn failed(path: &Path, error: &ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, e) => Error::io("write", path, e),
        _ => Error::internal(format!("cannot write `{}`", path.display())).because(error),
    }
}

/// PostgreSQL's text format (its manual, "COPY", "Text Format").
fn unescape(field: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'b') => 0x08,
            Some(b'f') => 0x0C,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 0x0B,
            Some(other) => *other,
            None => b'\\',
        });
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array as _, AsArray as _};
    use arrow::datatypes::Decimal128Type;

    use super::*;

    fn read(columns: Vec<Column>, pieces: &[&[u8]]) -> (Result<Answer>, Option<RecordBatch>) {
        let dir = tempfile::tempdir().expect("a folder");
        let out = dir.path().join("answer");
        let mut arrival = Arrival::new(columns, &out, 1 << 20).expect("begun");
        let taken = pieces.iter().try_for_each(|piece| arrival.take(piece));
        let answer = taken.and_then(|()| arrival.finish(&Progress::silent()));
        let reader = File::open(&out).ok().and_then(|file| FileReader::try_new(file, None).ok());
        (answer, reader.and_then(|mut reader| reader.next()).and_then(|batch| batch.ok()))
    }

    #[test]
    fn rows_are_put_together_wherever_their_pieces_end() {
        let text = b"a\\tb\\nc\t1\n\\N\t\\N\n\\\\N\t-2\n";
        for at in 0..text.len() {
            let columns = vec![Column::new("t", Kind::Text), Column::new("n", Kind::Integer)];
            let (answer, batch) = read(columns, &[&text[..at], &text[at..]]);
            assert_eq!(answer.expect("an answer").rows, 3);
            let batch = batch.expect("a batch");
            let texts: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
            assert_eq!(texts, [Some("a\tb\nc"), None, Some("\\N")]);
        }
    }

    #[test]
    fn a_numeric_column_becomes_the_decimal_that_holds_all_of_it() {
        let (answer, batch) = read(vec![Column::new("n", Kind::Numeric)], &[b"12.50\n-0.001\nNaN\n\\N\n"]);
        let answer = answer.expect("an answer");
        assert_eq!(answer.warnings, ["1 values of `n` are beyond what its kind can hold, and missing"]);
        let batch = batch.expect("a batch");
        assert_eq!(batch.column(0).data_type(), &DataType::Decimal128(5, 3));
        let values: Vec<_> = batch.column(0).as_primitive::<Decimal128Type>().iter().collect();
        assert_eq!(values, [Some(12_500), Some(-1), None, None]);
        let long = format!("{}\n", "9".repeat(77));
        let (answer, batch) = read(vec![Column::new("n", Kind::Numeric)], &[long.as_bytes()]);
        assert_eq!(answer.expect("an answer").warnings, ["`n` is text because it has more than 76 digits"]);
        assert_eq!(batch.expect("a batch").column(0).data_type(), &DataType::Utf8);
    }

    #[test]
    fn an_answer_that_is_too_large_is_refused() {
        let piece = vec![b'x'; 600 << 10];
        let (answer, _) = read(vec![Column::new("t", Kind::Text)], &[&piece, &piece]);
        assert!(answer.expect_err("too large").message.contains("larger than"));
    }
}
