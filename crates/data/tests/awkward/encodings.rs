//! Text in the encodings of the world.

use data::import::ParseOptions;

use super::case::{Case, table};

pub fn cases() -> Vec<Case> {
    [marked(), others()].into_iter().flatten().collect()
}

fn marked() -> Vec<Case> {
    vec![
        table("UTF-8 mark", b"\xEF\xBB\xBFa,b\n1,\xC3\xA9\n", "a:integer b:text | 1 é"),
        table("UTF-16 LE", b"\xFF\xFEa\0,\0b\0\n\x001\0,\0\xE9\0\n\0", "a:integer b:text | 1 é"),
        table("UTF-16 BE", b"\xFE\xFF\0a\0,\0b\0\n\x001\0,\0\xE9\0\n", "a:integer b:text | 1 é"),
        table("UTF-16 LE unmarked", b"a\0,\0b\0\n\x001\0,\0x\0\n\0", "a:integer b:text | 1 x"),
        table(
            "Latin-1",
            b"name,city\nRen\xE9e,Z\xFCrich\nJos\xE9,M\xE1laga\nBj\xF6rn,G\xF6teborg\n",
            "name:text city:text | Renée Zürich | José Málaga | Björn Göteborg",
        ),
        table(
            "smart quotes of windows-1252",
            b"a,b\n1,\x93well\x94 said\n2,it\x92s caf\xE9\n",
            "a:integer b:text | 1 “well” said | 2 it’s café",
        ),
        table(
            "Shift-JIS",
            b"a,b\n1,\x93\x8c\x8b\x9e\n2,\x91\xe5\x8d\xe3\n3,\x8b\x9e\x93\x73\x8e\x73\n",
            "a:integer b:text | 1 東京 | 2 大阪 | 3 京都市",
        ),
    ]
}

fn others() -> Vec<Case> {
    vec![
        table("GB18030", b"\xb1\xe0\xba\xc5,\xb3\xc7\xca\xd0\n1,\xb1\xb1\xbe\xa9\n2,\xc9\xcf\xba\xa3\n3,\xb9\xe3\xd6\xdd\xca\xd0\n4,\xc9\xee\xdb\xda\xca\xd0\xc4\xcf\xc9\xbd\xc7\xf8\n", "编号:integer 城市:text | 1 北京 | 2 上海 | 3 广州市 | 4 深圳市南山区"),
        table("KOI8-R", b"\xc9\xc4,\xc7\xcf\xd2\xcf\xc4\n1,\xed\xcf\xd3\xcb\xd7\xc1\n2,\xf3\xc1\xce\xcb\xd4-\xf0\xc5\xd4\xc5\xd2\xc2\xd5\xd2\xc7\n3,\xee\xc9\xd6\xce\xc9\xca \xee\xcf\xd7\xc7\xcf\xd2\xcf\xc4\n", "ид:integer город:text | 1 Москва | 2 Санкт-Петербург | 3 Нижний Новгород"),
        table("windows-1251", b"\xe8\xe4,\xe3\xee\xf0\xee\xe4\n1,\xcc\xee\xf1\xea\xe2\xe0\n2,\xd1\xe0\xed\xea\xf2-\xcf\xe5\xf2\xe5\xf0\xe1\xf3\xf0\xe3\n3,\xcd\xe8\xe6\xed\xe8\xe9 \xcd\xee\xe2\xe3\xee\xf0\xee\xe4\n", "ид:integer город:text | 1 Москва | 2 Санкт-Петербург | 3 Нижний Новгород"),
        table("EUC-JP", b"\xc8\xd6\xb9\xe6,\xc5\xd4\xbb\xd4\n1,\xc5\xec\xb5\xfe\xc5\xd4\n2,\xc2\xe7\xba\xe5\xc9\xdc\n3,\xb5\xfe\xc5\xd4\xbb\xd4\n4,\xcc\xbe\xb8\xc5\xb2\xb0\xbb\xd4\n", "番号:integer 都市:text | 1 東京都 | 2 大阪府 | 3 京都市 | 4 名古屋市"),
        table("EUC-KR", b"\xb9\xf8\xc8\xa3,\xb5\xb5\xbd\xc3\n1,\xbc\xad\xbf\xef\xc6\xaf\xba\xb0\xbd\xc3\n2,\xba\xce\xbb\xea\xb1\xa4\xbf\xaa\xbd\xc3\n3,\xc0\xce\xc3\xb5\xb1\xa4\xbf\xaa\xbd\xc3\n", "번호:integer 도시:text | 1 서울특별시 | 2 부산광역시 | 3 인천광역시"),
        table("Big5", b"\xbds\xb8\xb9,\xab\xb0\xa5\xab\n1,\xbbO\xa5_\xa5\xab\n2,\xb0\xaa\xb6\xaf\xa5\xab\n3,\xbbO\xa4\xa4\xa5\xab\n", "編號:integer 城市:text | 1 臺北市 | 2 高雄市 | 3 臺中市"),
        table("windows-1253", b"\xea\xf9\xe4,\xf0\xfc\xeb\xe7\n1,\xc1\xe8\xde\xed\xe1\n2,\xc8\xe5\xf3\xf3\xe1\xeb\xef\xed\xdf\xea\xe7\n3,\xd0\xdc\xf4\xf1\xe1\n", "κωδ:integer πόλη:text | 1 Αθήνα | 2 Θεσσαλονίκη | 3 Πάτρα"),
        table("UTF-16 BE unmarked", b"\0a\0,\0b\0\n\x001\0,\0x\0\n", "a:integer b:text | 1 x"),
        table("UTF-16 with an odd byte at its end", b"\xFF\xFEa\0,\0b\0\n\x001\0,\0x\0\n\0y", "a:integer b:text | 1 x")
            .rejects(&[(3, "the bytes are not valid in this encoding")]),
        table("half a surrogate in UTF-16", b"\xFF\xFEa\0,\0b\0\n\x001\0,\0\x3D\xD8\n\x002\0,\0y\0\n\0", "a:integer b:text | 2 y")
            .rejects(&[(2, "the bytes are not valid in this encoding")]),
        table("emoji and marks that join", "a,b\n1,👩‍💻\n2,e\u{301}\n", "a:integer b:text | 1 👩‍💻 | 2 e\u{301}"),
        table("names that differ in their normal form", "e\u{301},é\n1,2\n", "e\u{301}:integer é:integer | 1 2"),
        table("a byte order mark within the text", "a,b\n1,\u{feff}x\n2,y\n", "a:integer b:text | 1 \u{feff}x | 2 y"),
        table("an invalid byte after a million of valid ones", late(), late_table()).rejects(&[(50_002, "the bytes are not valid in this encoding")]),
        table("an encoding that was set", b"a,b\n1,\xE9\n2,x\n", "a:integer b:text | 1 И | 2 x")
            .read_as(ParseOptions { encoding: "KOI8-R".to_owned(), ..ParseOptions::default() }),
    ]
}

/// 50,000 rows of ASCII, one with a byte that is not UTF-8, and one more.
fn late() -> Vec<u8> {
    let mut bytes = b"a,b\n".to_vec();
    bytes.extend((0..50_000).flat_map(|_| b"1,plain text of one row\n".to_vec()));
    bytes.extend_from_slice(b"2,\xE9\n3,");
    bytes.extend_from_slice("é".repeat(20).as_bytes());
    bytes.extend_from_slice(b"\n");
    bytes
}

/// The first thousand of those rows, which is what is compared.
fn late_table() -> String {
    format!("a:integer b:text{}", " | 1 plain text of one row".repeat(1000))
}
