//! Differences and comparisons as they go over the wire.

use data::diff::{CellChange, Matching, Summary};
use data::profile::Comparison;

use super::changes::{
    ChangedCell, ChangedColumn, ComparedColumn, DiffView, ProfileComparison, RenamedColumn, RetypedColumn,
};

pub(super) fn diff_view(from: u32, to: u32, summary: &Summary) -> DiffView {
    let (key, is_key_found) = match &summary.matching {
        Matching::Key { columns, is_found } => (columns.clone(), *is_found),
        Matching::Content => (Vec::new(), false),
    };
    let renamed = summary.renamed_columns.iter().map(|one| RenamedColumn {
        from: one.from.clone(),
        to: one.to.clone(),
        equal_share: one.equal_share,
    });
    let retyped = summary.retyped_columns.iter().map(|one| RetypedColumn {
        name: one.name.clone(),
        from: one.from.into(),
        to: one.to.into(),
    });
    let columns = summary.columns.iter().map(|one| ChangedColumn {
        name: one.name.clone(),
        old_name: one.old_name.clone(),
        changed_cells: one.changed_cells,
    });
    DiffView {
        from,
        to,
        added_columns: summary.added_columns.iter().map(Into::into).collect(),
        removed_columns: summary.removed_columns.iter().map(Into::into).collect(),
        renamed_columns: renamed.collect(),
        retyped_columns: retyped.collect(),
        key,
        is_key_found,
        old_rows: summary.old_rows,
        new_rows: summary.new_rows,
        added_rows: summary.added_rows,
        removed_rows: summary.removed_rows,
        changed_rows: summary.changed_rows,
        unchanged_rows: summary.unchanged_rows,
        changed_cells: summary.changed_cells,
        columns: columns.collect(),
    }
}

impl From<CellChange> for ChangedCell {
    fn from(cell: CellChange) -> Self {
        Self {
            row: cell.new_row,
            old_row: cell.old_row,
            key: cell.key,
            column: cell.column,
            old: cell.old,
            new: cell.new,
        }
    }
}

pub(super) fn comparison(from: u32, to: u32, compared: Comparison) -> ProfileComparison {
    let columns = compared.columns.into_iter().map(|column| ComparedColumn {
        psi: column.drift.psi,
        level: crate::monitor::level_view(column.drift.level),
        before: column.before.into(),
        after: column.after.into(),
    });
    ProfileComparison {
        from,
        to,
        rows_before: compared.rows_before,
        rows_after: compared.rows_after,
        added: compared.added,
        removed: compared.removed,
        columns: columns.collect(),
    }
}
