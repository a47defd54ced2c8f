//! Names of columns, and what stands above them.

use data::import::ParseOptions;

use super::case::{Case, table};

pub fn cases() -> Vec<Case> {
    [known(), more()].into_iter().flatten().collect()
}

fn known() -> Vec<Case> {
    vec![
        table("comments", b"# made today\n# by hand\na,b\n1,x\n2,y\n", "a:integer b:text | 1 x | 2 y"),
        table(
            "a header that looks like a comment",
            b"#id,name\n1,x\n2,y\n",
            "#id:integer name:text | 1 x | 2 y",
        ),
        table(
            "a title above",
            b"Sales report\n\na,b,c\n1,x,2\n2,y,3\n",
            "a:integer b:text c:integer | 1 x 2 | 2 y 3",
        ),
        table(
            "a padded title above",
            b"Sales report,,\na,b,c\n1,x,2\n2,y,3\n",
            "a:integer b:text c:integer | 1 x 2 | 2 y 3",
        ),
        table(
            "no header",
            b"1,x,2.5\n2,y,3.5\n",
            "column_1:integer column_2:text column_3:number | 1 x 2.5 | 2 y 3.5",
        ),
        table(
            "no header, texts",
            b"x,red\ny,red\nx,blue\n",
            "column_1:text column_2:text | x red | y red | x blue",
        ),
        table("one column", b"name\nx\ny\n", "name:text | x | y"),
        table("one column of numbers", b"1.5\n2.5\n", "column_1:number | 1.5 | 2.5"),
        table("duplicate headers", b"x,x,x_2\n1,2,3\n", "x:integer x_3:integer x_2:integer | 1 2 3"),
        table(
            "empty and reserved headers",
            b"a,,__split\n1,2,3\n",
            "a:integer column_2:integer split:integer | 1 2 3",
        ),
        table(
            "dangerous headers",
            b"__proto__,constructor,id; DROP TABLE x\n1,2,3\n",
            "proto__:integer constructor:integer id; DROP TABLE x:integer | 1 2 3",
        ),
        table(
            "headers that differ by case and space",
            b"a,A, a \n1,2,3\n",
            "a:integer A:integer a_2:integer | 1 2 3",
        ),
        table("an empty column", b"a,b\n1,\n2,\n", "a:integer b:text | 1 ~ | 2 ~"),
    ]
}

fn more() -> Vec<Case> {
    vec![
        table("a header of 64 KB", long_name(), format!("{}:integer b:integer | 1 2", "n".repeat(200))),
        table(
            "a header narrower than rows that begin with names",
            "x,y\nr1,1,2\nr2,3,4\n",
            "column_1:text x:integer y:integer | r1 1 2 | r2 3 4",
        ),
        table(
            "a header narrower than its rows",
            "a,b\n1,2,3,4\n1,6,7,8\n",
            "a:integer b:integer column_3:integer column_4:integer | 1 2 3 4 | 1 6 7 8",
        ),
        table(
            "a header of two rows in text",
            "Sales,,Costs,\nQ1,Q2,Q1,Q2\n1,2,3,4\n5,6,7,8\n",
            "Sales Q1:integer Sales Q2:integer Costs Q1:integer Costs Q2:integer | 1 2 3 4 | 5 6 7 8",
        ),
        table(
            "a header of three rows that was set",
            "a,b\nx,y\ncm,kg\n1,2\n",
            "a x cm:integer b y kg:integer | 1 2",
        )
        .read_as(ParseOptions { header_rows: 3, ..ParseOptions::default() }),
        table("comments below the header", "# v1\na,b\n1,x\n# middle\n2,y\n", "a:integer b:text | 1 x | 2 y"),
        table("names with line ends in them", "\"a\nb\",c\n1,2\n", "a b:integer c:integer | 1 2"),
        table("names with spaces around them", " a ,\tb\t\n1,x\n2,y\n", "a:integer b:text | 1 x | 2 y"),
        table(
            "a header of numbers is a row",
            "2024,2025\n1,2\n",
            "column_1:integer column_2:integer | 2024 2025 | 1 2",
        ),
        table(
            "texts only, all different",
            "name,city\nAda,London\nAlan,Wilmslow\n",
            "name:text city:text | Ada London | Alan Wilmslow",
        ),
        table(
            "three lines of notes",
            "Report\nMade by hand\n\na;b;c\n1;2;3\n4;5;6\n",
            "a:integer b:integer c:integer | 1 2 3 | 4 5 6",
        ),
        table(
            "lines that are skipped because they were set",
            "x\ny\na,b\n1,2\n",
            "a:integer b:integer | 1 2",
        )
        .read_as(ParseOptions { skip_lines: 2, ..ParseOptions::default() }),
    ]
}

fn long_name() -> String {
    format!("{},b\n1,2\n", "n".repeat(64 << 10))
}
