//! `fairness`: groups of people get the good answer as often, and as rightly.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::matrix::Target;
use crate::model_tests::groups::by_column;
use crate::model_tests::kind::{Context, Declaration, Finding, Group, Kind, Misfit};

/// The kind `fairness`.
pub(in crate::model_tests) struct Fairness;

/// What must be alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::model_tests) enum Measure {
    /// The share of rows that get the answer.
    #[default]
    DemographicParity,
    /// The share among those for whom it is true, and among those for whom it is not.
    EqualisedOdds,
}

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The column that tells the groups apart. The model need not read it.
    column: String,
    /// What must be alike.
    measure: Measure,
    /// The largest difference between two groups.
    max_difference: f64,
    /// The class that is the good answer; of two the second if left out.
    class: String,
    /// Groups of fewer rows are left out.
    min_rows: usize,
    /// Into how many ranges a column of numbers is divided.
    bins: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            column: String::new(),
            measure: Measure::DemographicParity,
            max_difference: 0.1,
            class: String::new(),
            min_rows: 30,
            bins: 4,
        }
    }
}

impl Kind for Fairness {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "fairness",
            title: "Fairness",
            summary: "Groups get an answer as often as others, or are served as rightly as others.",
            doc: "`demographic_parity` compares the share of rows that get the class. `equalised_odds` compares the \
                  share among rows that truly are of the class (true positive rate) and among the others (false \
                  positive rate), and takes the larger difference (Hardt, Price and Srebro 2016). A difference is \
                  that between the largest and the smallest share of two groups. The two cannot both hold where the \
                  groups differ in truth; choose what the use asks for.",
            example: "kind = \"fairness\"\ncolumn = \"sex\"\nmeasure = \"equalised_odds\"\nmax_difference = 0.1",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.column.is_empty() {
            let error =
                Error::invalid("there is no `column`").hint("name the column that tells the groups apart");
            return Err(Misfit::param("column", error));
        }
        if !(0.0..=1.0).contains(&params.max_difference) {
            let error = Error::invalid(format!("`max_difference` cannot be {}", params.max_difference));
            return Err(Misfit::param("max_difference", error.hint("write a share from 0 to 1")));
        }
        if params.min_rows < 2 || !(2..=50).contains(&params.bins) {
            let error = Error::invalid("`min_rows` and `bins` are at least 2, `bins` at most 50");
            return Err(Misfit::param("min_rows", error));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let what = match params.measure {
            Measure::DemographicParity => "the share of the class",
            Measure::EqualisedOdds => "true and false positive rates",
        };
        let most = base::number(params.max_difference, 4);
        format!("{what} between groups of `{}` at most {most} apart", params.column)
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let rows = context.rows;
        let (Target::Classes { codes, .. }, Some(labels)) = (&rows.truth, rows.said.labels()) else {
            return Err(Error::invalid("the model predicts a number, fairness is measured for classes")
                .hint("test its `slices` instead"));
        };
        let class = rows.class(&params.class)? as u32;
        let cohorts = by_column(&rows.table, &params.column, params.bins, params.min_rows)?;
        if cohorts.len() < 2 {
            return Err(Error::invalid(format!(
                "`{}` has no two groups of {} rows",
                params.column, params.min_rows
            ))
            .hint("lower `min_rows`, or test on more rows"));
        }
        // Each rate is among the rows for which `counts` is true.
        let rate = |cohort: &[u32], counts: &dyn Fn(usize) -> bool| -> Option<f64> {
            let among: Vec<usize> =
                cohort.iter().map(|row| *row as usize).filter(|row| counts(*row)).collect();
            let given = among.iter().filter(|row| labels[**row] == class).count();
            (!among.is_empty()).then(|| given as f64 / among.len() as f64)
        };
        let everyone = |_: usize| true;
        let truly = |row: usize| codes[row] == class;
        let falsely = |row: usize| codes[row] != class;
        type Among<'a> = (&'static str, &'a dyn Fn(usize) -> bool);
        let measures: Vec<Among<'_>> = match params.measure {
            Measure::DemographicParity => vec![("share of the class", &everyone)],
            Measure::EqualisedOdds => {
                vec![("true positive rate", &truly), ("false positive rate", &falsely)]
            }
        };
        let (mut groups, mut worst) = (Vec::new(), (0.0, String::new()));
        for (name, counts) in measures {
            let rates: Vec<(usize, f64)> = cohorts
                .iter()
                .enumerate()
                .filter_map(|(at, cohort)| Some((at, rate(&cohort.rows, counts)?)))
                .collect();
            let lowest = rates.iter().min_by(|a, b| a.1.total_cmp(&b.1));
            let highest = rates.iter().max_by(|a, b| a.1.total_cmp(&b.1));
            let (Some(low), Some(high)) = (lowest, highest) else { continue };
            let difference = high.1 - low.1;
            if difference >= worst.0 {
                worst = (
                    difference,
                    format!(
                        "the {name} is {} where {} and {} where {}",
                        base::number(low.1, 3),
                        cohorts[low.0].name,
                        base::number(high.1, 3),
                        cohorts[high.0].name
                    ),
                );
            }
            groups.extend(rates.iter().map(|(at, value)| Group {
                name: cohorts[*at].name.clone(),
                rows: cohorts[*at].rows.len() as u64,
                measure: name.to_owned(),
                value: *value,
                is_broken: difference > params.max_difference && (*at == low.0 || *at == high.0),
            }));
        }
        groups.sort_by_key(|group| !group.is_broken);
        let measured = format!("{}, {} apart", worst.1, base::number(worst.0, 3));
        Ok(Finding { is_passed: worst.0 <= params.max_difference, measured, groups, rows: Vec::new() })
    }
}
