//! `text_features`: make numbers of the words of a text.

use base::{Error, Result};
use data::transform::TextFeatures as Spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, must_be_raw, renewed};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `text_features`.
pub struct TextFeatures;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The column of text; the new columns stand in its place.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// The most words that become columns: those that are in most texts.
    #[schemars(range(min = 1, max = 1000))]
    max_words: u32,
    /// Words in fewer texts than this are left out.
    #[schemars(range(min = 1))]
    min_texts: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { column: String::new(), max_words: 100, min_texts: 2 }
    }
}

impl Params {
    fn plan(&self, shape: Option<&TableShape>) -> Result<Spec, Misfit> {
        if self.column.is_empty() {
            let error = Error::invalid("no column is chosen").hint("choose a column of text");
            return Err(Misfit::param("column", error));
        }
        let spec = Spec {
            column: self.column.clone(),
            max_words: self.max_words as usize,
            min_texts: self.min_texts as usize,
        };
        let Some(shape) = shape else { return Ok(spec) };
        must_be_raw(shape, "text_features")?;
        if shape.target.as_ref() == Some(&self.column) {
            let error = Error::invalid(format!("`{}` is the target", self.column));
            return Err(Misfit::param("column", error.hint("choose a column that the model learns from")));
        }
        shape.column(&self.column).map_err(at("column"))?;
        let param = if (1..=1000).contains(&self.max_words) { "column" } else { "max_words" };
        spec.check(&shape.columns).map_err(at(param))?;
        Ok(spec)
    }
}

impl Kind for TextFeatures {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "text_features",
            version: 1,
            title: "Text features",
            category: Category::Clean,
            summary: "Makes a number of each frequent word of a text (TF-IDF).",
            doc: "The formula and the words are those of scikit-learn's `TfidfVectorizer`: smoothed inverse \
                  document frequency, rows of length 1, words of two or more letters. This is **not part of \
                  the model**: the model's format has no words. The model asks for the columns made here, so \
                  whoever asks it has to compute them; use it to look at texts, to cluster and to compare, or \
                  for batch scoring in the same pipeline, not for an endpoint that is sent plain text. \
                  Frequencies are those of all rows, test rows too. Put it before `split` and before \
                  transforms that are part of the model.",
            synonyms: &[
                "tfidf",
                "tf-idf",
                "bag of words",
                "TfidfVectorizer",
                "words",
                "nlp",
                "CountVectorizer",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "A table before the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows with a column for each word.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        // The words are known only once the rows have been looked at.
        params.plan(inputs.table("table")).map(|_| None)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let table = Table::read(work.input("table")?)?;
        let spec = params.plan(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        let before = table.rows.num_columns();
        let rows = spec.run(&table.rows, &work.progress)?;
        work.log(&format!("`{}` became {} columns", params.column, rows.num_columns() + 1 - before));
        work.log("note: a model asks for these columns, not for the text");
        renewed(table, rows).write(&work.output("table")?)
    }
}
