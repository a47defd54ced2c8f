//! Parquet and Arrow files of every type, and damaged ones.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array, Int32Array, Int32Builder, Int64Array,
    LargeStringArray, ListArray, MapBuilder, NullArray, RecordBatch, StringArray, StringBuilder,
    StringViewArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{Field, Int32Type};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use data::Kind;
use data::import::{Format, ParseOptions};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::case::{Case, refused, table};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("the columns are equally long")
}

fn parquet_with(batch: &RecordBatch, compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a schema");
    writer.write(batch).expect("memory takes it");
    writer.close().expect("memory takes it");
    bytes
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    parquet_with(&batch(columns), Compression::SNAPPY)
}

fn arrow_with(batch: &RecordBatch, compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).expect("a known one");
    let mut bytes = Vec::new();
    let mut writer =
        FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).expect("a schema");
    writer.write(batch).expect("memory takes it");
    writer.finish().expect("memory takes it");
    drop(writer);
    bytes
}

fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).expect("a schema");
    writer.write(batch).expect("memory takes it");
    writer.finish().expect("memory takes it");
    drop(writer);
    bytes
}

fn plain() -> RecordBatch {
    batch(vec![
        ("a", Arc::new(Int64Array::from(vec![Some(1), None]))),
        ("b", Arc::new(StringArray::from(vec![Some("x"), Some("NA")]))),
    ])
}

pub fn parquet_example() -> Vec<u8> {
    parquet_with(&plain(), Compression::SNAPPY)
}

pub fn arrow_example() -> Vec<u8> {
    arrow_with(&plain(), None)
}

pub fn stream_example() -> Vec<u8> {
    stream(&plain())
}

const PLAIN: &str = "a:integer b:text | 1 x | ~ NA";

pub fn cases() -> Vec<Case> {
    let mut cases = files();
    cases.extend(types());
    cases.extend(nested());
    cases.extend(kinds_and_damage());
    cases
}

fn files() -> Vec<Case> {
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let gzip = Compression::GZIP(GzipLevel::default());
    vec![
        table("Parquet", parquet_with(&plain(), Compression::UNCOMPRESSED), PLAIN),
        table("Parquet with Snappy", parquet_with(&plain(), Compression::SNAPPY), PLAIN),
        table("Parquet with Zstandard", parquet_with(&plain(), zstd), PLAIN),
        table("Parquet with gzip", parquet_with(&plain(), gzip), PLAIN),
        table("Parquet with LZ4", parquet_with(&plain(), Compression::LZ4_RAW), PLAIN),
        table("Arrow file", arrow_with(&plain(), None), PLAIN),
        table("Feather with LZ4", arrow_with(&plain(), Some(CompressionType::LZ4_FRAME)), PLAIN),
        table("Feather with Zstandard", arrow_with(&plain(), Some(CompressionType::ZSTD)), PLAIN),
        table("Arrow stream", stream(&plain()), PLAIN),
        table("Parquet in gzip", super::packs::gzip(&parquet_with(&plain(), Compression::SNAPPY)), PLAIN),
    ]
}

fn types() -> Vec<Case> {
    let decimals = |digits, scale, values: Vec<i128>| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(digits, scale).expect("it fits"))
    };
    let dictionary: DictionaryArray<Int32Type> = vec![Some("x"), None, Some("x")].into_iter().collect();
    let berlin = TimestampMicrosecondArray::from(vec![1_795_421_110_000_001]).with_timezone("Europe/Berlin");
    vec![
        table(
            "numbers of every width",
            parquet(vec![
                ("i8", Arc::new(Int8Array::from(vec![-128, 127]))),
                ("i32", Arc::new(Int32Array::from(vec![1, 2]))),
                ("f32", Arc::new(Float32Array::from(vec![0.5, f32::NAN]))),
                ("f64", Arc::new(Float64Array::from(vec![f64::INFINITY, 0.1]))),
                ("bool", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ]),
            "i8:integer i32:integer f32:number f64:number bool:boolean | -128 1 0.5 inf true | 127 2 ~ 0.1 ~",
        ),
        table(
            "unsigned integers that fit",
            parquet(vec![("a", Arc::new(UInt64Array::from(vec![1, 2])))]),
            "a:integer | 1 | 2",
        ),
        table(
            "unsigned integers that do not fit",
            parquet(vec![("a", Arc::new(UInt64Array::from(vec![1, u64::MAX])))]),
            "a:text | 1 | 18446744073709551615",
        ),
        table(
            "decimals",
            parquet(vec![("a", decimals(10, 2, vec![12345, -5]))]),
            "a:number | 123.45 | -0.05",
        ),
        table(
            "decimals without a fraction",
            parquet(vec![("a", decimals(38, 0, vec![7, 8]))]),
            "a:integer | 7 | 8",
        ),
        table(
            "decimals without a fraction beyond 64 bits",
            parquet(vec![("a", decimals(38, 0, vec![7, 10_i128.pow(30)]))]),
            "a:text | 7 | 1000000000000000000000000000000",
        ),
        table(
            "dates",
            parquet(vec![("a", Arc::new(Date32Array::from(vec![0, -1])))]),
            "a:time | 1970-01-01 | 1969-12-31",
        ),
        table(
            "times with a zone are in UTC",
            parquet(vec![("a", Arc::new(berlin))]),
            "a:time | 2026-11-23 08:05:10",
        ),
        table(
            "times before 1970 are cut downwards",
            parquet(vec![("a", Arc::new(TimestampNanosecondArray::from(vec![-1, 1_000_001])))]),
            "a:time | 1969-12-31 23:59:59.999 | 1970-01-01 00:00:00.001",
        ),
        table(
            "times in seconds",
            arrow_with(&batch(vec![("a", Arc::new(TimestampSecondArray::from(vec![86_400])))]), None),
            "a:time | 1970-01-02",
        ),
        table(
            "times of day are text",
            parquet(vec![("a", Arc::new(Time64MicrosecondArray::from(vec![3_600_000_000])))]),
            "a:text | 01:00:00",
        ),
        table("dictionaries", parquet(vec![("a", Arc::new(dictionary))]), "a:text | x | ~ | x"),
        table(
            "texts of every layout",
            arrow_with(
                &batch(vec![
                    ("large", Arc::new(LargeStringArray::from(vec!["x"]))),
                    ("view", Arc::new(StringViewArray::from(vec!["a text longer than twelve bytes"]))),
                ]),
                None,
            ),
            "large:text view:text | x a text longer than twelve bytes",
        ),
        table(
            "bytes that are text and bytes that are not",
            parquet(vec![("a", Arc::new(BinaryArray::from(vec![b"text".as_slice(), b"\xff\x00"])))]),
            "a:text | text | 0xff00",
        ),
        table(
            "bytes of one length",
            parquet(vec![(
                "a",
                Arc::new(
                    FixedSizeBinaryArray::try_from_iter([[0xDE_u8, 0xAD], [0xBE, 0xEF]].iter())
                        .expect("equal"),
                ),
            )]),
            "a:text | 0xdead | 0xbeef",
        ),
        table(
            "a column of nothing",
            parquet(vec![("a", Arc::new(NullArray::new(2))), ("b", Arc::new(Int32Array::from(vec![1, 2])))]),
            "a:text b:integer | ~ 1 | ~ 2",
        ),
        table(
            "names twice and reserved ones",
            arrow_with(
                &batch(vec![
                    ("x", Arc::new(Int32Array::from(vec![1]))),
                    ("x", Arc::new(Int32Array::from(vec![2]))),
                    ("__split", Arc::new(Int32Array::from(vec![3]))),
                ]),
                None,
            ),
            "x:integer x_2:integer split:integer | 1 2 3",
        ),
    ]
}

fn nested() -> Vec<Case> {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    let inner: ArrayRef = Arc::new(StringArray::from(vec![Some("x\"y"), None]));
    let number: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), Some(f64::NAN)]));
    let fields = [("s", inner), ("n", number)]
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    let object = StructArray::from(fields.to_vec());
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(7);
    map.append(true).expect("keys and values agree");
    vec![
        table("lists become JSON", parquet(vec![("a", Arc::new(list))]), "a:text | [1,null] | ~"),
        table(
            "objects become JSON",
            parquet(vec![("a", Arc::new(object))]),
            "a:text | {\"s\":\"x\\\"y\",\"n\":1.5} | {\"s\":null,\"n\":null}",
        ),
        table(
            "maps become JSON",
            parquet(vec![("a", Arc::new(map.finish()))]),
            "a:text | [{\"keys\":\"k\",\"values\":7}]",
        ),
    ]
}

fn kinds_and_damage() -> Vec<Case> {
    let set = |format, kind| ParseOptions {
        format,
        kinds: [("a".to_owned(), kind)].into(),
        ..ParseOptions::default()
    };
    let texts = || batch(vec![("a", Arc::new(StringArray::from(vec!["1", "x", "3.5", ""])) as ArrayRef)]);
    let words = || batch(vec![("a", Arc::new(StringArray::from(vec!["1", "x"])) as ArrayRef)]);
    let none = RecordBatch::new_empty(plain().schema());
    let whole = parquet_with(&plain(), Compression::SNAPPY);
    let mut bent = whole.clone();
    bent[12..40].fill(0xFF);
    let mut stream_cut = stream(&plain());
    stream_cut.truncate(stream_cut.len() / 2);
    let encrypted = [b"PARE".as_slice(), &whole[4..]].concat();
    let wide: Vec<String> = (0..20_001).map(|at| format!("c{at}")).collect();
    let one: ArrayRef = Arc::new(Int8Array::from(vec![1]));
    let wide = stream(&batch(wide.iter().map(|name| (name.as_str(), one.clone())).collect()));
    vec![
        table(
            "a kind that was set rejects rows",
            parquet_with(&texts(), Compression::SNAPPY),
            "a:number | 1 | 3.5 | ~",
        )
        .read_as(set(Format::Parquet, Kind::Number))
        .rejects(&[(2, "`x` in `a` is not a number")]),
        table("integers as text", arrow_with(&plain_integers(), None), "a:text | 1 | ~")
            .read_as(set(Format::Arrow, Kind::Text)),
        table(
            "integers that were set and do not fit",
            parquet(vec![("a", Arc::new(UInt64Array::from(vec![1, u64::MAX])))]),
            "a:integer | 1",
        )
        .read_as(set(Format::Parquet, Kind::Integer))
        .rejects(&[(2, "`18446744073709551615` in `a` is not an integer")]),
        table(
            "times beyond what fits",
            arrow_with(&batch(vec![("a", Arc::new(TimestampSecondArray::from(vec![0, i64::MAX])))]), None),
            "a:time | 1970-01-01",
        )
        .rejects(&[(2, "`9223372036854775807` in `a` is not a date or time")]),
        refused(
            "no row fits",
            arrow_with(&words(), None),
            "no row of `FILE` can be read; the first, row 1: `1` in `a` is not a date or time",
        )
        .read_as(ParseOptions { missing: Vec::new(), ..set(Format::Arrow, Kind::Time) }),
        refused("no rows", parquet_with(&none, Compression::SNAPPY), "`FILE` has columns and no rows"),
        refused(
            "half a Parquet file",
            whole[..whole.len() / 2].to_vec(),
            "`FILE` is damaged: it cannot be read as a Parquet file",
        ),
        refused("bent pages", bent, "`FILE` is damaged: it cannot be read as a Parquet file"),
        refused(
            "a mark and nothing else",
            b"PAR1".as_slice(),
            "`FILE` is damaged: it cannot be read as a Parquet file",
        ),
        refused("an encrypted Parquet file", encrypted, "`FILE` is an encrypted Parquet file"),
        refused("half an Arrow stream", stream_cut, "`FILE` is damaged: it cannot be read as an Arrow file"),
        refused(
            "an Arrow mark and nothing else",
            b"ARROW1\0\0".as_slice(),
            "`FILE` is damaged: it cannot be read as an Arrow file",
        ),
        refused("more columns than a table has", wide, "`FILE` has 20,001 columns"),
        refused("Parquet read as Arrow", whole.clone(), "`FILE` is not an Arrow file")
            .read_as(ParseOptions { format: Format::Arrow, ..ParseOptions::default() }),
        refused("Parquet read as text", whole, "`FILE` is a Parquet file, not a text table")
            .read_as(ParseOptions::default()),
    ]
}

fn plain_integers() -> RecordBatch {
    plain().project(&[0]).expect("there is a first column")
}
