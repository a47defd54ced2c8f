//! Packed files: every pack around text, and archives that are not what they seem.

use std::io::Write as _;

use data::import::{Pack, ParseOptions};

use super::case::{Case, refused, table};
use super::zips::zip;

const PLAIN: &[u8] = b"a,b\n1,x\n2,y\n";
const TABLE: &str = "a:integer b:text | 1 x | 2 y";

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).expect("memory takes it");
    writer.finish().expect("memory takes it")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    writer.write_all(bytes).expect("memory takes it");
    writer.finish().expect("memory takes it")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).expect("memory takes it")
}

/// `xz -c` of [`PLAIN`].
const XZ: &[u8] = b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x0b\x61\x2c\x62\x0a\x31\x2c\x78\x0a\x32\x2c\x79\x0a\x00\x4c\xe0\xb7\x6e\x5d\x13\x21\x73\x00\x01\x24\x0c\xa6\x18\xd8\xd8\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a";

pub fn cases() -> Vec<Case> {
    let two = [gzip(b"a,b\n1,x\n"), gzip(b"2,y\n")].concat();
    let mut cut = gzip(&b"a,b\n1,x\n".repeat(5000));
    cut.truncate(cut.len() / 2);
    let bomb = zstd(&b"1,1\n".repeat(20 << 20));
    let choice =
        ParseOptions { pack: Pack::Zip, table: Some("two.csv".to_owned()), ..ParseOptions::default() };
    let absent = ParseOptions { table: Some("three.csv".to_owned()), ..choice.clone() };
    let several: [(&str, &[u8]); 2] = [("one.csv", PLAIN), ("two.csv", b"c\n7\n")];
    let litter: [(&str, &[u8]); 4] = [
        ("folder/", b""),
        ("folder/.hidden", b"x"),
        ("__MACOSX/folder/._t.csv", b"x"),
        ("folder/t.csv", PLAIN),
    ];
    vec![
        table("gzip", gzip(PLAIN), TABLE),
        table("gzip of two members", two, TABLE),
        table("zstd", zstd(PLAIN), TABLE),
        table("zstd of two frames", [zstd(b"a,b\n1,x\n"), zstd(b"2,y\n")].concat(), TABLE),
        table("bzip2", bzip2(PLAIN), TABLE),
        table("xz", XZ, TABLE),
        table("zip of one", zip(&[("t.csv", PLAIN)]), TABLE),
        table("zip of one and litter", zip(&litter), TABLE),
        table("zip of two takes the first", zip(&several), TABLE),
        table("zip of two, the second named", zip(&several), "c:integer | 7").read_as(choice),
        refused(
            "zip of two, none of them named",
            zip(&several),
            "the archive `FILE` holds no file `three.csv`",
        )
        .read_as(absent),
        table("gzip of JSON lines", gzip(b"{\"a\":1}\n{\"a\":2}\n"), "a:integer | 1 | 2"),
        refused("gzip that breaks off", cut, "the gzip file `FILE` is damaged"),
        refused("gzip of nothing", gzip(b""), "`FILE` holds nothing once it is unpacked"),
        refused("gzip of gzip", gzip(&gzip(PLAIN)), "`FILE` is a gzip archive, not a text table"),
        refused("a bomb", bomb, "`FILE` unpacks to more than 400 times its size"),
        refused("zip of nothing", zip(&[]), "the archive `FILE` holds no files"),
        refused("zip of folders", zip(&[("folder/", b"")]), "the archive `FILE` holds no files"),
        refused("half an archive", zip(&several)[..40].to_vec(), "the ZIP archive `FILE` is damaged"),
        refused("gzip read as text", gzip(PLAIN), "`FILE` is a gzip archive, not a text table")
            .read_as(ParseOptions::default()),
        refused("text read as gzip", PLAIN, "the gzip file `FILE` is damaged")
            .read_as(ParseOptions { pack: Pack::Gzip, ..ParseOptions::default() }),
    ]
}
