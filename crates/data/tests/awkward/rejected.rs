//! Files of which some rows are no rows: they are named with their line, and the rest is kept.

use data::Kind;
use data::import::ParseOptions;

use super::case::{Case, table};

pub fn cases() -> Vec<Case> {
    let number = ParseOptions { kinds: [("b".to_owned(), Kind::Number)].into(), ..ParseOptions::default() };
    vec![
        table("short and long rows", "a,b\n1,x\n2\n3,y,z\n4,w\n5,v\n", "a:integer b:text | 1 x | 4 w | 5 v")
            .rejects(&[(3, "the row has 1 cells, expected 2"), (4, "the row has 3 cells, expected 2")]),
        table(
            "a footer",
            "a,b,c\n1,2,3\n4,5,6\n7,8,9\n\nTotal: 3 rows\n",
            "a:integer b:integer c:integer | 1 2 3 | 4 5 6 | 7 8 9",
        )
        .rejects(&[(6, "the row has 1 cells, expected 3")]),
        table("one row of another encoding", mixed(), "a:text b:integer | é 1 | ü 2 | ßßßßßßßßßß 4")
            .rejects(&[(4, "the bytes are not valid in this encoding")]),
        table(
            "a header that is repeated",
            "a,b\n1,x\n2,y\na,b\n3,z\na,b\n",
            "a:integer b:text | 1 x | 2 y | 3 z",
        )
        .read_as(ParseOptions::default())
        .rejects(&[(4, "the row repeats the header"), (6, "the row repeats the header")]),
        table(
            "two tables in one file",
            "a,b,c\n1,x,2\n2,y,3\n3,z,4\n\nd,e\n5,6\n",
            "a:integer b:text c:integer | 1 x 2 | 2 y 3 | 3 z 4",
        )
        .rejects(&[(6, "the row has 2 cells, expected 3"), (7, "the row has 2 cells, expected 3")]),
        table("a NUL byte in one row", nul(), "a:integer b:text | 1 x | 3 y")
            .read_as(ParseOptions::default())
            .rejects(&[(2_097_155, "the row holds a NUL byte")]),
        table("a kind that was set for text", "a,b\n1,2.5\n2,x\n3,\n", "a:integer b:number | 1 2.5 | 3 ~")
            .read_as(number)
            .rejects(&[(3, "`x` in `b` is not a number")]),
        table(
            "a row of delimiters only",
            "a,b,c\n1,2,3\n,,\n4,5,6\n",
            "a:integer b:integer c:integer | 1 2 3 | ~ ~ ~ | 4 5 6",
        ),
        table("a row that is much too long", huge(), "a:integer b:text | 1 x | 3 y")
            .read_as(ParseOptions::default())
            .rejects(&[(3, "the row is longer than 32 MB")]),
        table(
            "text behind a closing quote",
            "a,b\n1,\"x\"y\n2,\"z\"\n3,\"w\"\n",
            "a:integer b:text | 2 z | 3 w",
        )
        .read_as(ParseOptions::default())
        .rejects(&[(2, "text follows a closing quote")]),
    ]
}

fn mixed() -> Vec<u8> {
    let mut bytes = "a,b\né,1\nü,2\n".as_bytes().to_vec();
    bytes.extend_from_slice(b"\xE9,3\n");
    bytes.extend_from_slice("ßßßßßßßßßß,4\n".as_bytes());
    bytes
}

/// A NUL byte far below what is looked at before reading begins.
fn nul() -> Vec<u8> {
    let mut bytes = b"a,b\n1,x\n".to_vec();
    bytes.extend(std::iter::repeat_n(b'\n', 2 << 20));
    bytes.extend_from_slice(b"2,\0z\n3,y\n");
    bytes
}

fn huge() -> Vec<u8> {
    let mut bytes = b"a,b\n1,x\n2,".to_vec();
    bytes.extend(std::iter::repeat_n(b'z', 40 << 20));
    bytes.extend_from_slice(b"\n3,y\n");
    bytes
}
