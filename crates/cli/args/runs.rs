//! The arguments of tables of runs.

use clap::Args as ClapArgs;

/// Which runs, and how they are shown. What is given here takes the place of what the view says.
#[derive(Debug, Default, ClapArgs)]
pub struct LookArgs {
    /// A saved view to begin with.
    #[arg(long)]
    pub view: Option<String>,
    /// Only runs of this experiment and of the folders in it.
    #[arg(long)]
    pub experiment: Option<String>,
    /// What must hold: `metrics.auc > 0.9 and params.depth = '3'`.
    #[arg(long)]
    pub filter: Option<String>,
    /// The order: `metrics.auc desc`; again for what decides next.
    #[arg(long)]
    pub order: Vec<String>,
    /// A column: `metrics.auc`, `min(metrics.loss)`, `at(metrics.loss, 100)`, `params.depth`, `tags.team`, or
    /// an attribute such as `duration`; again for more.
    #[arg(long)]
    pub column: Vec<String>,
    /// Group by this column, with mean and deviation of the others.
    #[arg(long)]
    pub group: Option<String>,
}

impl LookArgs {
    /// True if nothing was said.
    pub fn is_plain(&self) -> bool {
        let said = [&self.view, &self.experiment, &self.filter, &self.group];
        said.iter().all(|one| one.is_none()) && self.order.is_empty() && self.column.is_empty()
    }
}

/// What to put on runs.
#[derive(Debug, ClapArgs)]
pub struct MarkArgs {
    /// Ids or numbers.
    #[arg(required = true)]
    pub runs: Vec<String>,
    /// Put a star on them.
    #[arg(long, conflicts_with = "no_star")]
    pub star: bool,
    /// Take the star away.
    #[arg(long)]
    pub no_star: bool,
    /// A colour, 1 to 8; empty to take it away.
    #[arg(long)]
    pub color: Option<String>,
    /// A note; empty to take it away.
    #[arg(long)]
    pub note: Option<String>,
    /// A tag to set, as `key=value`; again for more.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub tags: Vec<String>,
    /// A tag to remove; again for more.
    #[arg(long = "remove-tag", value_name = "KEY")]
    pub remove_tags: Vec<String>,
}
