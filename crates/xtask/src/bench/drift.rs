//! What drift of a large table costs, beside Evidently, and whether both decide the same.
//! `tests/drift/table.py` does it.

use serde_json::Value;

use crate::figures::Figure;
use crate::instruments::world::{number, reply};
use crate::process::{command, forget_package, output};
use crate::{Result, programs, setup};

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let python = setup::peer("evidently", "tests/drift/requirements.txt")?;
    let mut table = command(python, &["tests/drift/table.py"]);
    table.arg(programs::release_fettle());
    forget_package(&mut table);
    figures(&reply(&output(table)?)?)
}

fn figures(found: &Value) -> Result<Vec<Figure>> {
    let (ours, theirs) = (number(&found["oursCpuS"])?, number(&found["theirsCpuS"])?);
    let decisions = match found["sameDecisions"].as_bool() {
        Some(true) => format!("the same: {} of {} columns moved", found["drifted"], found["columns"]),
        Some(false) => "other ones".to_owned(),
        None => return Err(format!("the table does not say who decides what: {found}")),
    };
    Ok(vec![
        Figure::new("the old rows, imported and profiled once", number(&found["oldCpuS"])?, "s of processor"),
        Figure::new("the new rows, imported, profiled and compared", ours, "s of processor"),
        Figure::new("Evidently, both tables in memory", theirs, "s of processor"),
        Figure::new("Evidently takes as many times as much", theirs / ours, "times"),
        Figure::in_words("decisions of both".to_owned(), decisions),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::as_lines;

    #[test]
    fn what_the_table_says_is_figures_and_half_of_it_is_none() {
        let said = r#"{"rows": 1000000, "columns": 20, "oldCpuS": 6.0, "oursCpuS": 7.5, "theirsCpuS": 120.0,
            "sameDecisions": true, "drifted": 10}"#;
        let lines = as_lines("drift", &figures(&reply(said).expect("JSON")).expect("complete"));
        assert!(lines.contains("16") && lines.contains("the same: 10 of 20 columns moved"), "{lines}");
        assert!(figures(&reply(r#"{"oursCpuS": 1.0, "theirsCpuS": 2.0}"#).expect("JSON")).is_err());
    }
}
