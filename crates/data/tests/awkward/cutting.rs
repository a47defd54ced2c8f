//! Delimiters, quotes and line ends.

use super::case::{Case, table};

pub fn cases() -> Vec<Case> {
    [known(), more()].into_iter().flatten().collect()
}

fn known() -> Vec<Case> {
    vec![
        table("plain", b"a,b\n1,x\n2,y\n", "a:integer b:text | 1 x | 2 y"),
        table("no line end at the end", b"a,b\n1,x\n2,y", "a:integer b:text | 1 x | 2 y"),
        table("CR LF", b"a,b\r\n1,x\r\n2,y\r\n", "a:integer b:text | 1 x | 2 y"),
        table("CR alone", b"a,b\r1,x\r2,y\r", "a:integer b:text | 1 x | 2 y"),
        table("mixed line ends", b"a,b\n1,x\r\n2,y\r3,z\n", "a:integer b:text | 1 x | 2 y | 3 z"),
        table("tabs", b"a\tb\n1\tx, y\n2\tz\n", "a:integer b:text | 1 x, y | 2 z"),
        table("pipes", b"a|b\n1|x\n2|y\n", "a:integer b:text | 1 x | 2 y"),
        table("carets", b"a^b\n1^x\n2^y\n", "a:integer b:text | 1 x | 2 y"),
        table("control character 1", b"a\x01b\n1\x01x\n2\x01y\n", "a:integer b:text | 1 x | 2 y"),
        table("sep line of Excel", b"sep=;\na;b\n1;x,y\n", "a:integer b:text | 1 x,y"),
        table(
            "delimiter inside quotes more often than outside",
            b"a;b\n1;\"x,y,z,w\"\n2;\"p,q,r,s\"\n",
            "a:integer b:text | 1 x,y,z,w | 2 p,q,r,s",
        ),
        table("line end in quotes", b"a,b\n1,\"x\ny\"\n2,z\n", "a:integer b:text | 1 x/y | 2 z"),
        table("doubled quotes", b"a,b\n1,\"say \"\"hi\"\"\"\n", "a:integer b:text | 1 say \"hi\""),
        table(
            "escaped quotes",
            b"a,b\n1,\"say \\\"hi\\\", ok\"\n2,\"x\"\n",
            "a:integer b:text | 1 say \"hi\", ok | 2 x",
        ),
        table("single quotes", b"a,b\n1,'x,y'\n2,'z,w'\n", "a:integer b:text | 1 x,y | 2 z,w"),
        table(
            "one quote at the start of a cell is a character",
            b"a,b\n1,x\n2,\"y\n3,z\n",
            "a:integer b:text | 1 x | 2 \"y | 3 z",
        ),
        table("a quote in the middle", b"a,b\n1,5\" pipe\n2,x\n", "a:integer b:text | 1 5\" pipe | 2 x"),
        table("spaces after delimiters", b"a, b\n1, x\n2, \"y, z\"\n", "a:integer b:text | 1 x | 2 y, z"),
        table("space after a closing quote", b"a,b\n1,\"x\" \n2,y\n", "a:integer b:text | 1 x | 2 y"),
        table("blank lines", b"\na,b\n\n1,x\n\n\n2,y\n\n", "a:integer b:text | 1 x | 2 y"),
        table(
            "trailing delimiters everywhere",
            b"a,b,\n1,x,\n2,y,\n",
            "a:integer b:text column_3:text | 1 x ~ | 2 y ~",
        ),
        table("a text that ends in Ctrl-Z", b"a,b\n1,x\x1a\n", "a:integer b:text | 1 x\x1a"),
        table(
            "line separators of Unicode are text",
            "a,b\n1,x\u{2028}y\n2,z\n".as_bytes(),
            "a:integer b:text | 1 x\u{2028}y | 2 z",
        ),
    ]
}

fn more() -> Vec<Case> {
    vec![
        table(
            "semicolons with commas in texts",
            "a;b\n1;x, y\n2;z, w\n",
            "a:integer b:text | 1 x, y | 2 z, w",
        ),
        table(
            "spaces that align columns",
            "x    y  z\n1   10  a\n22  20  b\n333 30  c\n",
            "x:integer y:integer z:text | 1 10 a | 22 20 b | 333 30 c",
        ),
        table(
            "spaces before the first column",
            "  1.5  2\n 10.5 20\n  3.5 30\n",
            "column_1:number column_2:integer | 1.5 2 | 10.5 20 | 3.5 30",
        ),
        table(
            "two colons",
            "1::1193::5\n1::661::3\n2::914::4\n",
            "column_1:integer column_2:integer column_3:integer | 1 1193 5 | 1 661 3 | 2 914 4",
        ),
        table(
            "sentences are one column",
            "note\nthe cat sat down\na dog ran off\n",
            "note:text | the cat sat down | a dog ran off",
        ),
        table(
            "moments are one column",
            "at\n2026-01-02 10:00\n2026-01-03 11:00\n",
            "at:time | 2026-01-02 10:00:00 | 2026-01-03 11:00:00",
        ),
        table(
            "tabs with empty cells",
            "a\tb\tc\n1\t\tx\n2\t\ty\n",
            "a:integer b:text c:text | 1 ~ x | 2 ~ y",
        ),
        table("sep line with a tab", "sep=\t\na\tb\n1\tx\n", "a:integer b:text | 1 x"),
        table(
            "quotes with delimiters and line ends of all kinds",
            "a,b\n1,\"x,\r\ny\rz\n\"\n2,w\n",
            "a:integer b:text | 1 x,//y/z/ | 2 w",
        ),
        table(
            "quotes in quotes at both ends",
            "a,b\n1,\"\"\"x\"\"\"\n2,\"y\"\n",
            "a:integer b:text | 1 \"x\" | 2 y",
        ),
        table("a quoted header", "\"a, b\",\"c\"\n1,2\n", "a, b:integer c:integer | 1 2"),
        table(
            "apostrophes are no quotes",
            "a,b\n1,it's\n2,o'clock\n",
            "a:integer b:text | 1 it's | 2 o'clock",
        ),
        table(
            "spaces around quotes",
            "a, b , c\n1, \"x, y\" , 2\n3, \"z\" , 4\n",
            "a:integer b:text c:integer | 1 x, y 2 | 3 z 4",
        ),
        table(
            "a quote that never closes",
            "a,b\n1,\"x,y\"\n2,\"z\n3,\"w\"\n4,\"v\"\n",
            "a:integer b:text | 1 x,y | 3 w | 4 v",
        )
        .rejects(&[(3, "text follows a closing quote")]),
        table(
            "a last quote that never closes",
            "a,b\n1,\"x,y\"\n2,\"v\"\n3,\"z\n",
            "a:integer b:text | 1 x,y | 2 v",
        )
        .rejects(&[(4, "a quote opens and never closes")]),
        table("a lone CR in a cell of quotes", "a,b\n1,\"x\ry\"\n2,z\n", "a:integer b:text | 1 x/y | 2 z"),
        table(
            "a table that ends in blank lines of CR LF",
            "a,b\r\n1,x\r\n\r\n\r\n",
            "a:integer b:text | 1 x",
        ),
        table(
            "a paragraph separator is text",
            "a,b\n1,x\u{2029}y\n2,z\n",
            "a:integer b:text | 1 x\u{2029}y | 2 z",
        ),
        table("a next line mark is text", "a,b\n1,x\u{85}y\n2,z\n", "a:integer b:text | 1 x\u{85}y | 2 z"),
        table("Ctrl-Z as the last line", "a,b\n1,x\n2,y\n\u{1a}", "a:integer b:text | 1 x | 2 y")
            .rejects(&[(4, "the row has 1 cells, expected 2")]),
        table(
            "trailing delimiters below a header without",
            "a,b\n1,x,\n2,y,\n",
            "a:integer b:text | 1 x | 2 y",
        ),
        table("one row", "a,b\n1,x", "a:integer b:text | 1 x"),
    ]
}
