//! How well our trainers learn real data sets, and in how much processor time, beside scikit-learn and
//! LightGBM on the same split, one thread each. `tests/quality/table.py` does it.

use serde_json::Value;

use crate::figures::Figure;
use crate::instruments::world::{number, reply, text};
use crate::process::{command, forget_package, output};
use crate::{Result, setup};

pub fn measure() -> Result<Vec<Figure>> {
    setup::compiler()?;
    let mut table = command(setup::python()?, &["tests/quality/table.py", "--json"]);
    forget_package(&mut table);
    output(table)?.lines().map(|line| figure(&reply(line)?)).collect()
}

/// One data set and one trainer.
fn figure(row: &Value) -> Result<Figure> {
    let (ours, theirs) = (number(&row["ours"])?, number(&row["theirs"])?);
    let (our_cpu_s, their_cpu_s) = (number(&row["oursCpuS"])?, number(&row["theirsCpuS"])?);
    let name = format!("{}, {} rows: {}", text(&row["data"])?, row["rows"], text(&row["trainer"])?);
    let words = format!(
        "{} {ours:.4}, theirs {theirs:.4}, difference {:+.4}; {our_cpu_s:.2} s, theirs {their_cpu_s:.2} s",
        text(&row["metric"])?,
        ours - theirs,
    );
    Ok(Figure::in_words(name, words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::as_lines;

    #[test]
    fn a_line_of_the_table_is_a_figure() {
        let line = r#"{"data": "diamonds", "rows": 40455, "trainer": "forest", "metric": "r2",
            "ours": 0.98, "theirs": 0.9795, "oursCpuS": 3.5, "theirsCpuS": 7.0}"#;
        let figure = figure(&reply(line).expect("JSON")).expect("complete");
        assert_eq!(
            as_lines("quality", &[figure]),
            "quality\n  diamonds, 40455 rows: forest  r2 0.9800, theirs 0.9795, difference +0.0005; 3.50 s, theirs 7.00 s\n"
        );
        assert!(super::figure(&reply("{}").expect("JSON")).is_err());
    }
}
