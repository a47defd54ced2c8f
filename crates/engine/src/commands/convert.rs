//! Between what the crates below compute with and what goes over the wire.

use std::collections::BTreeMap;

use data::{ColumnProfile, Kind, Task};
use store::datasets::tags::Tag;
use store::datasets::{Dataset, DatasetVersion};

use super::datasets::{
    ColumnKind, ColumnProfileView, ColumnView, DatasetDetail, DatasetVersionView, DateOrder, MatrixView,
    MissingView, NumberProfileView, OrderBy, ParseOptions, RejectedRow, SniffView, TablePage,
    TargetSuggestion, TaskView, TogetherView, ValueCount,
};
use super::jobs::JobRef;
use super::sources::FolderOptions;

impl From<base::JobId> for JobRef {
    fn from(id: base::JobId) -> Self {
        Self { job_id: id.to_string() }
    }
}

impl From<Kind> for ColumnKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer,
            Kind::Number => Self::Number,
            Kind::Boolean => Self::Boolean,
            Kind::Text => Self::Text,
            Kind::Time => Self::Time,
        }
    }
}

impl From<ColumnKind> for Kind {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Integer => Self::Integer,
            ColumnKind::Number => Self::Number,
            ColumnKind::Boolean => Self::Boolean,
            ColumnKind::Text => Self::Text,
            ColumnKind::Time => Self::Time,
        }
    }
}

impl From<score::Kind> for ColumnKind {
    fn from(kind: score::Kind) -> Self {
        match kind {
            score::Kind::Integer => Self::Integer,
            score::Kind::Number => Self::Number,
            score::Kind::Boolean => Self::Boolean,
            score::Kind::Text => Self::Text,
            score::Kind::Time => Self::Time,
        }
    }
}

impl From<Task> for TaskView {
    fn from(task: Task) -> Self {
        match task {
            Task::Binary => Self::Binary,
            Task::Multiclass => Self::Multiclass,
            Task::Regression => Self::Regression,
        }
    }
}

impl From<TaskView> for Task {
    fn from(task: TaskView) -> Self {
        match task {
            TaskView::Binary => Self::Binary,
            TaskView::Multiclass => Self::Multiclass,
            TaskView::Regression => Self::Regression,
        }
    }
}

impl From<score::Task> for TaskView {
    fn from(task: score::Task) -> Self {
        match task {
            score::Task::Binary => Self::Binary,
            score::Task::Multiclass => Self::Multiclass,
            score::Task::Regression => Self::Regression,
        }
    }
}

impl From<&data::Column> for ColumnView {
    fn from(column: &data::Column) -> Self {
        Self { name: column.name.clone(), kind: column.kind.into() }
    }
}

impl From<OrderBy> for data::view::Order {
    fn from(by: OrderBy) -> Self {
        Self { column: by.column, descending: by.descending }
    }
}

impl From<data::import::DateOrder> for DateOrder {
    fn from(order: data::import::DateOrder) -> Self {
        match order {
            data::import::DateOrder::DayFirst => Self::DayFirst,
            data::import::DateOrder::MonthFirst => Self::MonthFirst,
        }
    }
}

impl From<DateOrder> for data::import::DateOrder {
    fn from(order: DateOrder) -> Self {
        match order {
            DateOrder::DayFirst => Self::DayFirst,
            DateOrder::MonthFirst => Self::MonthFirst,
        }
    }
}

impl From<data::import::ParseOptions> for ParseOptions {
    fn from(options: data::import::ParseOptions) -> Self {
        Self {
            encoding: options.encoding,
            delimiter: options.delimiter,
            quote: options.quote,
            escape: options.escape,
            skip_lines: u32::try_from(options.skip_lines).unwrap_or(u32::MAX),
            has_header: options.header,
            comment: options.comment,
            decimal: options.decimal,
            thousands: options.thousands,
            trim: options.trim,
            nulls: options.missing,
            quoted_nulls: options.quoted_missing,
            date_order: options.date_order.into(),
            kinds: options.kinds.into_iter().map(|(name, kind)| (name, kind.into())).collect(),
            format: options.format,
            pack: options.pack,
            table: options.table,
            range: options.range,
            records: options.records,
            header_rows: options.header_rows,
            merge_delimiters: options.merge_delimiters,
            folder: options.folder.map(Into::into),
        }
    }
}

impl From<data::import::FolderOptions> for FolderOptions {
    fn from(options: data::import::FolderOptions) -> Self {
        let data::import::FolderOptions { as_files, only, path_column, partitions } = options;
        Self { as_files, only, path_column, partitions }
    }
}

impl From<FolderOptions> for data::import::FolderOptions {
    fn from(options: FolderOptions) -> Self {
        let FolderOptions { as_files, only, path_column, partitions } = options;
        Self { as_files, only, path_column, partitions }
    }
}

impl From<ParseOptions> for data::import::ParseOptions {
    fn from(options: ParseOptions) -> Self {
        let kinds: BTreeMap<String, Kind> =
            options.kinds.into_iter().map(|(name, kind)| (name, kind.into())).collect();
        Self {
            encoding: options.encoding,
            delimiter: options.delimiter,
            quote: options.quote,
            escape: options.escape,
            comment: options.comment,
            skip_lines: u64::from(options.skip_lines),
            header: options.has_header,
            trim: options.trim,
            decimal: options.decimal,
            thousands: options.thousands,
            missing: options.nulls,
            quoted_missing: options.quoted_nulls,
            date_order: options.date_order.into(),
            kinds,
            format: options.format,
            pack: options.pack,
            table: options.table,
            range: options.range,
            records: options.records,
            header_rows: options.header_rows,
            merge_delimiters: options.merge_delimiters,
            folder: options.folder.map(Into::into),
        }
    }
}

impl From<data::import::Rejected> for RejectedRow {
    fn from(row: data::import::Rejected) -> Self {
        Self { file: row.file, line: row.line, reason: row.reason, excerpt: row.excerpt }
    }
}

impl From<data::profile::Suggestion> for TargetSuggestion {
    fn from(suggestion: data::profile::Suggestion) -> Self {
        Self { column: suggestion.column, task: suggestion.task.into(), reason: suggestion.reason }
    }
}

impl From<data::Page> for TablePage {
    fn from(page: data::Page) -> Self {
        let columns = page
            .columns
            .into_iter()
            .map(|column| ColumnView { name: column.label, kind: column.kind.into() });
        Self {
            total: page.total_rows.unwrap_or(page.offset + page.rows.len() as u64),
            offset: page.offset,
            columns: columns.collect(),
            rows: page.rows,
        }
    }
}

impl From<ColumnProfile> for ColumnProfileView {
    fn from(column: ColumnProfile) -> Self {
        Self {
            numbers: numbers(&column),
            meaning: column.meaning.map(|meaning| meaning.semantic.title().to_owned()),
            is_personal: column.is_personal(),
            is_unique: column.is_unique(),
            zeros: column.zeros,
            lengths: column.lengths.map(|lengths| [lengths.min as f64, lengths.mean, lengths.max as f64]),
            name: column.name,
            kind: column.kind.into(),
            count: column.count,
            missing: column.missing,
            distinct: column.distinct,
            distinct_is_exact: column.distinct_is_exact,
            top: column
                .top
                .into_iter()
                .map(|one| ValueCount { value: one.value, count: one.count })
                .collect(),
            other: column.other,
        }
    }
}

/// How columns go together, as far as it was found out.
pub(super) fn together(profile: &data::Profile) -> TogetherView {
    let relations = profile.relations.as_ref();
    let matrix = |of: fn(&data::profile::Relations) -> &data::profile::Matrix| {
        let view = |matrix: &data::profile::Matrix| MatrixView {
            columns: matrix.columns.clone(),
            values: matrix.values.clone(),
        };
        relations.map(|relations| view(of(relations))).unwrap_or_default()
    };
    let patterns = profile.missing.iter().flat_map(|missing| &missing.patterns);
    TogetherView {
        duplicate_rows: profile.duplicate_rows,
        complete_rows: profile.missing.as_ref().map(|missing| missing.complete_rows),
        missing: patterns.map(|one| MissingView { columns: one.columns.clone(), rows: one.rows }).collect(),
        pearson: matrix(|relations| &relations.pearson),
        spearman: matrix(|relations| &relations.spearman),
        cramers_v: matrix(|relations| &relations.cramers_v),
    }
}

fn numbers(column: &ColumnProfile) -> Option<NumberProfileView> {
    let (q, histogram) = (column.quantiles?, column.histogram.as_ref()?);
    Some(NumberProfileView {
        min: column.min?,
        max: column.max?,
        mean: column.mean?,
        // One value alone spreads nowhere.
        std: column.std.unwrap_or(0.0),
        quantiles: [q.p01, q.p05, q.p25, q.p50, q.p75, q.p95, q.p99],
        edges: histogram.edges.clone(),
        counts: histogram.counts.clone(),
    })
}

/// A first look at a file as the screens show it.
pub(super) fn sniff_view(
    options: data::import::ParseOptions,
    preview: data::import::Preview,
    warnings: Vec<data::import::Warning>,
) -> SniffView {
    let mut said: Vec<String> = warnings.into_iter().map(|warning| warning.message).collect();
    said.dedup();
    SniffView {
        options: options.into(),
        columns: preview.columns.iter().map(Into::into).collect(),
        rows: preview.rows,
        warnings: said,
        rejected: preview.rejected.into_iter().map(Into::into).collect(),
        size_bytes: 0,
        suggested_name: String::new(),
        tables: Vec::new(),
    }
}

/// A version in the strip above the table.
pub(super) fn version_view(version: &DatasetVersion, tags: &[Tag]) -> DatasetVersionView {
    let own = tags.iter().filter(|tag| tag.number == version.number);
    DatasetVersionView {
        number: version.number,
        id: version.id.to_string(),
        rows: version.rows,
        columns: version.columns,
        size_bytes: version.content_bytes,
        source_name: version.source_name.clone(),
        tags: own.map(|tag| tag.name.clone()).collect(),
        created_at: version.created_at.as_ms(),
    }
}

/// What the index alone knows of a version.
pub(super) fn detail(dataset: Dataset, version: &DatasetVersion) -> DatasetDetail {
    DatasetDetail {
        name: dataset.name,
        version: version.number,
        version_id: version.id.to_string(),
        rows: version.rows,
        columns: Vec::new(),
        size_bytes: version.content_bytes,
        rejected_rows: version.rejected_rows,
        options: data::import::ParseOptions::default().into(),
        target: dataset.target,
        task: None,
        suggestion: None,
        versions: Vec::new(),
        pipelines: Vec::new(),
        origin: None,
    }
}
