//! Numbers, truth values, dates, and what is missing.

use data::Kind;
use data::import::{DateOrder, ParseOptions};

use super::case::{Case, table};

pub fn cases() -> Vec<Case> {
    [known(), more()].into_iter().flatten().collect()
}

fn known() -> Vec<Case> {
    vec![
        table("semicolons and decimal commas", b"a;b\n1,5;x\n2,25;y\n", "a:number b:text | 1.5 x | 2.25 y"),
        table("only decimal commas", b"a;b\n1,5;2,5\n2,25;3,5\n", "a:number b:number | 1.5 2.5 | 2.25 3.5"),
        table(
            "leading zeros are ids",
            b"zip,n\n00123,1\n94103,2\n",
            "zip:text n:integer | 00123 1 | 94103 2",
        ),
        table(
            "long ids keep their digits",
            b"id,n\n12345678901234567890,1\n2,2\n",
            "id:text n:integer | 12345678901234567890 1 | 2 2",
        ),
        table(
            "integers beyond 2^53 beside fractions",
            b"x,n\n9007199254740993,1\n0.5,2\n",
            "x:text n:integer | 9007199254740993 1 | 0.5 2",
        ),
        table(
            "an integer of 64 bits stays one",
            b"x,n\n9223372036854775807,1\n-9223372036854775808,2\n",
            "x:integer n:integer | 9223372036854775807 1 | -9223372036854775808 2",
        ),
        table(
            "exponents, signs and infinity",
            b"x,y\n1e5,+5\n-2.5E-3,-6\ninf,7\n",
            "x:number y:integer | 100000 5 | -0.0025 -6 | inf 7",
        ),
        table(
            "thousands",
            b"x;y\n1.234,56;a\n12.345.678,90;b\n",
            "x:number y:text | 1234.56 a | 12345678.9 b",
        ),
        table(
            "thousands in quotes",
            b"x,y\n\"1,234.5\",a\n\"12,345,678\",b\n",
            "x:number y:text | 1234.5 a | 12345678 b",
        ),
        table(
            "thousands with a hard space",
            b"x,y\n1\xC2\xA0234,a\n12\xC2\xA0345,b\n",
            "x:integer y:text | 1234 a | 12345 b",
        ),
        table(
            "numbers of other kinds are texts",
            b"a,b,c,d\n0x1F,(5),5-,12%\n0x2A,(6),6-,13%\n",
            "a:text b:text c:text d:text | 0x1F (5) 5- 12% | 0x2A (6) 6- 13%",
        ),
        table(
            "words for missing",
            b"x,y\n1,NA\nNaN,b\nnull,c\n,d\nN/A,e\n",
            "x:integer y:text | 1 ~ | ~ b | ~ c | ~ d | ~ e",
        ),
        table(
            "marks for missing",
            b"x,y\n1,-\n-,b\n.,c\nNone,None\n",
            "x:integer y:text | 1 - | ~ b | ~ c | ~ None",
        ),
        table(
            "a quoted empty text is a text",
            b"x,y\n1,\"\"\n2,\n3,\"NA\"\n4,b\n",
            "x:integer y:text | 1  | 2 ~ | 3 NA | 4 b",
        ),
        table(
            "in a file of quotes they say nothing",
            b"\"x\",\"y\"\n\"1\",\"\"\n\"2\",\"NA\"\n\"3\",\"b\"\n",
            "x:integer y:text | 1 ~ | 2 ~ | 3 b",
        ),
        table(
            "booleans",
            b"a,b,c\ntrue,TRUE,ja\nFalse,FALSE,nein\n",
            "a:boolean b:boolean c:text | true true ja | false false nein",
        ),
        table(
            "ISO times",
            b"d,t\n2026-11-23,2026-11-23T08:05:10Z\n2026-01-02,2026-11-23T10:05:10.5+02:00\n",
            "d:time t:time | 2026-11-23 2026-11-23 08:05:10 | 2026-01-02 2026-11-23 08:05:10.500",
        ),
        table(
            "day before month",
            b"d,n\n03/04/2026,1\n31/12/2026,2\n",
            "d:time n:integer | 2026-04-03 1 | 2026-12-31 2",
        ),
        table(
            "month before day",
            b"d,n\n03/04/2026,1\n12/31/2026,2\n",
            "d:time n:integer | 2026-03-04 1 | 2026-12-31 2",
        ),
        table(
            "German dates",
            b"d;n\n03.04.2026;1\n05.06.2026;2\n",
            "d:time n:integer | 2026-04-03 1 | 2026-06-05 2",
        ),
        table(
            "mixed orders stay text",
            b"d,n\n31/12/2026,1\n12/31/2026,2\n",
            "d:text n:integer | 31/12/2026 1 | 12/31/2026 2",
        ),
        table(
            "years of two digits stay text",
            b"d,n\n31/12/99,1\n01/02/03,2\n",
            "d:text n:integer | 31/12/99 1 | 01/02/03 2",
        ),
        table(
            "formulas stay what they are",
            b"a,b\n=cmd|x,1\n@SUM(A1),2\n",
            "a:text b:integer | =cmd|x 1 | @SUM(A1) 2",
        ),
    ]
}

fn more() -> Vec<Case> {
    vec![
        table(
            "thousands of Switzerland",
            "x;y\n1'234.5;a\n12'345'678;b\n",
            "x:number y:text | 1234.5 a | 12345678 b",
        ),
        table(
            "thousands with a space",
            "x;y\n1 234,5;a\n12 345 678;b\n",
            "x:number y:text | 1234.5 a | 12345678 b",
        ),
        table(
            "thousands with a narrow space",
            "x;y\n1\u{202f}234,5;a\n12\u{202f}345;b\n",
            "x:number y:text | 1234.5 a | 12345 b",
        ),
        table(
            "groups that are no thousands stay text",
            "x;y\n1,23,456;a\n12,3;b\n",
            "x:text y:text | 1,23,456 a | 12,3 b",
        ),
        table(
            "serial dates of Excel stay numbers",
            "d,n\n46349,1\n46350,2\n",
            "d:integer n:integer | 46349 1 | 46350 2",
        ),
        table("money stays text", "x,y\n$5,a\n€6,b\n", "x:text y:text | $5 a | €6 b"),
        table("yes and no stay text", "x,y\nyes,1\nno,2\n", "x:text y:integer | yes 1 | no 2"),
        table(
            "ja and nein are truth values if they are called so",
            "x,y\nja,1\nNEIN,2\n",
            "x:boolean y:integer | true 1 | false 2",
        )
        .read_as(kind("x", Kind::Boolean)),
        table("zeros and ones are integers", "x,y\n0,1\n1,0\n", "x:integer y:integer | 0 1 | 1 0"),
        table(
            "a minus that is no hyphen is text",
            "x,y\n\u{2212}5,1\n\u{2212}6,2\n",
            "x:text y:integer | \u{2212}5 1 | \u{2212}6 2",
        ),
        table("numbers with spaces around them", "x,y\n  1  ,a\n 2 ,b\n", "x:integer y:text | 1 a | 2 b"),
        table("a number too large for a double", "x,y\n1e400,1\n2,2\n", "x:number y:integer | inf 1 | 2 2"),
        table("negative zero", "x,y\n-0.0,1\n1.5,2\n", "x:number y:integer | 0 1 | 1.5 2"),
        table("digits of other scripts are text", "x,y\n١٢,1\n٣,2\n", "x:text y:integer | ١٢ 1 | ٣ 2"),
        table(
            "truth values beside numbers are text",
            "x,y\ntrue,1\n1,2\n",
            "x:text y:integer | true 1 | 1 2",
        ),
        table(
            "dates with names of months",
            "d,n\n23 Nov 2026,1\n2 January 2026,2\n",
            "d:time n:integer | 2026-11-23 1 | 2026-01-02 2",
        ),
        table(
            "dates that are none stay text",
            "d,n\n2026-02-30,1\n2026-13-01,2\n",
            "d:text n:integer | 2026-02-30 1 | 2026-13-01 2",
        ),
        table(
            "moments of many zones are in UTC",
            "t,n\n2026-11-23T08:05:10+05:30,1\n2026-11-23T08:05:10-0800,2\n2026-11-23T08:05:10Z,3\n",
            "t:time n:integer | 2026-11-23 02:35:10 1 | 2026-11-23 16:05:10 2 | 2026-11-23 08:05:10 3",
        ),
        table(
            "moments finer than a millisecond are cut",
            "t,n\n2026-11-23 08:05:10.123456789,1\n",
            "t:time n:integer | 2026-11-23 08:05:10.123 1",
        ),
        table(
            "times of day stay text",
            "t,n\n08:05,1\n23:59:59,2\n",
            "t:text n:integer | 08:05 1 | 23:59:59 2",
        ),
        table(
            "dates before 1970 and far from now",
            "d,n\n1815-12-10,1\n2999-12-31,2\n",
            "d:time n:integer | 1815-12-10 1 | 2999-12-31 2",
        ),
        table("an order of dates that was set", "d,n\n03/04/2026,1\n", "d:time n:integer | 2026-04-03 1")
            .read_as(ParseOptions { date_order: DateOrder::DayFirst, ..ParseOptions::default() }),
        table("words for missing that were set", "x,y\n1,a\n-999,b\n", "x:integer y:text | 1 a | ~ b")
            .read_as(ParseOptions { missing: vec!["-999".to_owned()], ..ParseOptions::default() }),
    ]
}

fn kind(name: &str, kind: Kind) -> ParseOptions {
    ParseOptions { kinds: [(name.to_owned(), kind)].into(), ..ParseOptions::default() }
}
