//! Columns that say how much a word matters in a text: TF-IDF, by the formula of scikit-learn's
//! `TfidfVectorizer` with its defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Float64Array, RecordBatch};
use base::{Error, Progress, Result};

use super::{MAX_CELLS, MAX_COLUMNS, array, as_kind, check_names, columns_of, find, table};
use crate::schema::{Column, Kind};

/// Different words after which a text is taken for something else, such as ids.
const MAX_WORDS: usize = 5_000_000;

/// A text column to make numbers of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFeatures {
    /// The column; it goes, and the new ones stand in its place.
    pub column: String,
    /// The most words that become columns: those in most texts, the first in order among equals.
    pub max_words: usize,
    /// Words in fewer texts than this are left out.
    pub min_texts: usize,
}

impl TextFeatures {
    /// Checks the columns. What is made is in the rows, so it is not known before.
    ///
    /// # Errors
    /// `invalid_input` for a column that is not there or is no text, and limits that are none.
    pub fn check(&self, columns: &[Column]) -> Result<()> {
        let kind = find(columns, &self.column)?.kind;
        if kind != Kind::Text {
            return Err(Error::invalid(format!("`{}` is {}, not text", self.column, kind.word()))
                .hint("choose a column of text"));
        }
        if self.max_words == 0 || self.max_words > MAX_COLUMNS {
            let most = base::count(MAX_COLUMNS as u64);
            return Err(Error::invalid(format!("{} words cannot become columns", self.max_words))
                .hint(format!("write a number from 1 to {most}")));
        }
        Ok(())
    }

    /// A column `<column>:<word>` for each word, in the order of the words. A word is a run of two
    /// or more letters, digits and underscores, in small letters. With `n` texts, of which `d` have
    /// the word, its weight is `ln((1 + n) / (1 + d)) + 1`, times how often a text has it; then
    /// each row is divided by the root of its sum of squares. A missing text is 0 in all.
    ///
    /// # Errors
    /// As [`TextFeatures::check`]; no word is in enough texts; more cells than fit; `cancelled`.
    pub fn run(&self, batch: &RecordBatch, progress: &Progress) -> Result<RecordBatch> {
        let before = columns_of(batch);
        self.check(&before)?;
        let rows = batch.num_rows();
        let texts = as_kind(array(batch, &self.column)?, Kind::Text)?;
        let texts = texts.as_string::<i32>();
        let text = |row: usize| if texts.is_valid(row) { texts.value(row) } else { "" };
        let words = self.vocabulary(rows, text, progress)?;
        if words.len().saturating_mul(rows) > MAX_CELLS {
            return Err(Error::invalid(format!(
                "{} words of {rows} texts do not fit into memory",
                words.len()
            ))
            .hint("take fewer words, or sample the rows before"));
        }
        let mut cells = vec![vec![0.0; rows]; words.len()];
        for (row, text) in (0..rows).map(|row| (row, text(row))) {
            progress.step("weighing words", row as u64, Some(rows as u64))?;
            let mut weights: BTreeMap<usize, f64> = BTreeMap::new();
            for word in words_of(text) {
                if let Some((place, idf)) = words.get(&word) {
                    *weights.entry(*place).or_insert(0.0) += idf;
                }
            }
            let length = weights.values().map(|weight| weight * weight).sum::<f64>().sqrt();
            for (place, weight) in weights {
                cells[place][row] = weight / length;
            }
        }
        self.replace(batch, &before, words.into_keys(), cells)
    }

    /// The words that become columns, in order, with their place and weight.
    fn vocabulary<'a>(
        &self,
        rows: usize,
        text: impl Fn(usize) -> &'a str,
        progress: &Progress,
    ) -> Result<BTreeMap<String, (usize, f64)>> {
        let mut texts_with: BTreeMap<String, usize> = BTreeMap::new();
        for row in 0..rows {
            progress.step("counting words", row as u64, Some(rows as u64))?;
            let distinct: BTreeSet<String> = words_of(text(row)).collect();
            distinct.into_iter().for_each(|word| *texts_with.entry(word).or_insert(0) += 1);
            if texts_with.len() > MAX_WORDS {
                return Err(Error::invalid(format!("`{}` has millions of different words", self.column))
                    .hint("it looks like ids, of which nothing can be learnt: drop the column"));
            }
        }
        let mut frequent: Vec<(String, usize)> =
            texts_with.into_iter().filter(|(_, texts)| *texts >= self.min_texts).collect();
        // The sort keeps words of equal frequency in their order.
        frequent.sort_by_key(|(_, texts)| std::cmp::Reverse(*texts));
        frequent.truncate(self.max_words);
        frequent.sort();
        if frequent.is_empty() && rows > 0 {
            return Err(Error::invalid(format!(
                "no word of `{}` is in {} texts",
                self.column, self.min_texts
            ))
            .hint("lower the number of texts that a word has to be in, or drop the column"));
        }
        let idf = |texts: usize| libm::log((1 + rows) as f64 / (1 + texts) as f64) + 1.0;
        let words = frequent.into_iter().enumerate();
        Ok(words.map(|(place, (word, texts))| (word, (place, idf(texts)))).collect())
    }

    fn replace(
        &self,
        batch: &RecordBatch,
        before: &[Column],
        words: impl Iterator<Item = String>,
        cells: Vec<Vec<f64>>,
    ) -> Result<RecordBatch> {
        let at = before.iter().position(|column| column.name == self.column).unwrap_or(before.len());
        let mut columns = before.to_vec();
        let mut arrays = batch.columns().to_vec();
        let made = words.map(|word| Column::new(format!("{}:{word}", self.column), Kind::Number));
        columns.splice(at..=at, made);
        arrays
            .splice(at..=at, cells.into_iter().map(|cells| Arc::new(Float64Array::from(cells)) as ArrayRef));
        check_names(&columns)?;
        table(&columns, arrays, batch.num_rows())
    }
}

fn words_of(text: &str) -> impl Iterator<Item = String> {
    let pieces = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    pieces.filter(|word| word.chars().nth(1).is_some()).map(str::to_lowercase)
}
