//! What steps that make new rows have in common. The columns they make are the raw inputs of a
//! model, so they come before whatever is part of the model; and they mix rows, so they come
//! before the split.

use arrow::array::RecordBatch;
use base::{Error, Result};
use data::Column;
use data::transform::columns_of;

use super::table::Table;
use crate::kind::{Misfit, TableShape};

/// Refuses a table whose rows are divided or whose columns a model would have to make again.
///
/// # Errors
/// [`base::Code::InvalidInput`] naming the step, with where it belongs as the hint.
pub fn must_be_raw(shape: &TableShape, kind: &str) -> Result<()> {
    if shape.is_split {
        return Err(Error::invalid(format!(
            "`{kind}` makes new rows, and these are divided into parts already"
        ))
        .hint("put it before the `split` step, so that no test row gets into a training row"));
    }
    must_be_untransformed(shape, kind)
}

/// Refuses a table with columns that are made by transforms of the model.
///
/// # Errors
/// As [`must_be_raw`].
pub fn must_be_untransformed(shape: &TableShape, kind: &str) -> Result<()> {
    if !shape.is_transformed {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`{kind}` changes what a model is given, and this table has transforms that are part of the model"
    ))
    .hint("put it before steps such as `derive`, `impute`, `encode` and `scale`"))
}

/// The shape of new rows: the target stays one if it is still there.
pub fn renewed_shape(before: &TableShape, columns: Vec<Column>) -> TableShape {
    let target = before.target.clone().filter(|target| columns.iter().any(|column| column.name == *target));
    TableShape { task: before.task.filter(|_| target.is_some()), target, columns, ..before.clone() }
}

/// The table of new rows.
pub fn renewed(mut table: Table, rows: RecordBatch) -> Table {
    let shape = renewed_shape(&table.shape(), columns_of(&rows));
    table.meta.columns = shape.columns;
    table.meta.target = shape.target;
    table.meta.task = shape.task;
    table.rows = rows;
    table
}

/// Says where an error belongs.
pub fn at(param: &str) -> impl Fn(Error) -> Misfit + '_ {
    move |error| Misfit::param(param, error)
}

/// Reads a list of short forms, such as `mean(price) as average`. A form may come in pieces, cut at
/// its commas, as from a field in which a list is typed.
///
/// # Errors
/// [`Misfit`] at the parameter for the first that cannot be read, or if there is none.
pub fn read_all<T: std::str::FromStr<Err = Error>>(
    param: &str,
    texts: &[String],
    example: &str,
) -> Result<Vec<T>, Misfit> {
    if texts.is_empty() {
        let error =
            Error::invalid(format!("`{param}` is empty")).hint(format!("write one such as `{example}`"));
        return Err(Misfit::param(param, error));
    }
    whole(texts).iter().map(|text| text.parse().map_err(at(param))).collect()
}

/// Puts together again what was cut between parentheses.
fn whole(texts: &[String]) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    let is_open = |form: &String| form.matches('(').count() > form.matches(')').count();
    for text in texts {
        match forms.last_mut().filter(|form| is_open(form)) {
            Some(form) => *form = format!("{form}, {text}"),
            None => forms.push(text.clone()),
        }
    }
    forms
}

/// Checks that every name is a column.
///
/// # Errors
/// [`Misfit`] at the parameter with the nearest name.
pub fn check_columns(param: &str, shape: &TableShape, names: &[String]) -> Result<(), Misfit> {
    names.iter().try_for_each(|name| shape.column(name).map(drop).map_err(at(param)))
}

/// Fails if nothing is chosen.
///
/// # Errors
/// [`Misfit`] at the parameter.
pub fn check_chosen(param: &str, names: &[String], hint: &str) -> Result<(), Misfit> {
    if names.is_empty() {
        return Err(Misfit::param(param, Error::invalid("no column is chosen").hint(hint)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn forms_that_were_cut_at_commas_are_whole_again() {
        let read = |texts: &[&str]| whole(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let forms = ["lag(price, 7) as before", "row_number()"];
        assert_eq!(read(&["lag(price", "7) as before", "row_number()"]), forms);
        assert_eq!(read(&forms), forms);
        assert_eq!(read(&["sum(a", "b", "c)"]), ["sum(a, b, c)"]);
    }
}
