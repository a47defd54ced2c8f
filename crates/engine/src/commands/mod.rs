//! The list of commands. A command is one line here and one plain function beside its wire types.

pub mod changes;
pub mod connections;
mod convert;
mod convert_changes;
pub mod datasets;
pub mod deployments;
pub mod figures;
pub mod jobs;
pub mod keeping;
pub mod leaving;
pub mod lineage;
pub mod models;
pub mod monitors;
pub mod pipelines;
pub mod quality;
pub mod runs;
pub mod sources;
pub mod sweeps;
pub mod triggers;
pub mod workspaces;

use crate::Engine;
use changes::{ChangesPage, DatasetChanges, DatasetDiff, DatasetReport, ProfileComparison};
use connections::{ConnectionAdd, ConnectionAdded, ConnectionPick, ConnectionPreview, ConnectionView};
use datasets::{
    DatasetDetail, DatasetImport, DatasetPage, DatasetPick, DatasetQuery, DatasetSniff, DatasetSummary,
    DatasetTarget, InProject, ProfileView, RejectedRow, SniffView, TablePage,
};
use deployments::{
    DeploymentCreate, DeploymentDetail, DeploymentPick, DeploymentRollback, DeploymentSummary, DeploymentTry,
    TargetView, TryResult,
};
use jobs::{JobList, JobPick, JobRef, JobView};
use keeping::{
    DatasetDelete, DatasetExport, DatasetFollow, DatasetTag, FollowView, QueryExport, TrashPick, TrashView,
};
use leaving::{ExportedFile, ImportedPipeline, PipelineExport, PipelineExportTo, PipelineImport};
use lineage::{ExplainView, PipelineExplain, ReceiptView, RunReproduce, RunResume};
use models::{
    GateReport, ModelDetail, ModelExport, ModelGate, ModelPick, ModelPredict, ModelPromote, ModelRegister,
    ModelSummary, ModelVersionDetail, ModelVersionPick,
};
use monitors::{AlertAcknowledge, MonitorCheck, MonitorReplay, MonitorRules, MonitorStatus, MonitorView};
use pipelines::{
    CommitView, LayoutView, PipelineAddStep, PipelineCommit, PipelineExamine, PipelineLayout, PipelineNew,
    PipelinePick, PipelinePreview, PipelineRename, PipelineRun, PipelineSave, PipelineSaveText,
    PipelineSummary, PipelineView, PlanView, PreviewView, RunStarted, StepKindView, Validation,
};
use quality::{ChecksView, DatasetChecks, DatasetFailing, FailingPage};
use runs::{
    Comparison, LogPage, ModelLink, OutputView, RunCompare, RunCurves, RunDetail, RunList, RunLog, RunNote,
    RunOutput, RunPage, RunPick,
};
use sources::{DatasetAsk, DatasetFetch, DatasetFile, DatasetReread, DatasetSniffKept, FileBytes};
use sweeps::{SweepApplied, SweepApply, SweepPick, SweepResume, SweepStart, SweepSummary, SweepView};
use triggers::{TriggerAdd, TriggerEventView, TriggerPick, TriggerView};
use workspaces::{
    AuditEntry, AuditList, HomeView, Nothing, ProjectNew, ProjectOpen, ProjectStatus, ProjectSummary,
    Settings, WorkspaceCheck, WorkspaceGc, WorkspaceInfo,
};

crate::commands! { Engine;
    query  "workspace.info"       workspaces::info: Nothing => WorkspaceInfo [Projects, Settings];
    action "workspace.check"      workspaces::check: WorkspaceCheck => JobRef;
    action "workspace.gc"         workspaces::gc: WorkspaceGc => JobRef;
    query  "settings.get"         workspaces::settings: Nothing => Settings [Settings];
    action "settings.set"         workspaces::set_settings: Settings => ();
    query  "audit.list"           workspaces::audit: AuditList => Vec<AuditEntry> [Audit];
    action "sample.open"          workspaces::open_sample: Nothing => JobRef;
    query  "project.list"         workspaces::projects: Nothing => Vec<ProjectSummary> [Projects, Datasets, Pipelines, Models];
    action "project.new"          workspaces::new_project: ProjectNew => ProjectSummary;
    action "project.open"         workspaces::open_project: ProjectOpen => ProjectSummary;
    query  "project.status"       workspaces::status: InProject => ProjectStatus [Projects, Pipelines];
    query  "project.home"         workspaces::home: InProject => HomeView [Projects, Datasets, Pipelines, Runs, Models, Deployments, Alerts, Audit];
    query  "job.list"             jobs::list: JobList => Vec<JobView> [Jobs];
    query  "job.show"             jobs::show: JobPick => JobView [Jobs];
    action "job.cancel"           jobs::cancel: JobPick => ();

    query  "dataset.sniff"        datasets::sniff: DatasetSniff => SniffView [];
    action "dataset.import"       datasets::import: DatasetImport => JobRef;
    action "dataset.reread"       sources::reread: DatasetReread => JobRef;
    action "dataset.fetch"        sources::fetch: DatasetFetch => JobRef;
    action "dataset.ask"          sources::ask: DatasetAsk => JobRef;
    query  "dataset.sniff_kept"   sources::sniff_kept: DatasetSniffKept => SniffView [Datasets];
    query  "dataset.file"         sources::file: DatasetFile => FileBytes [];
    query  "dataset.list"         datasets::list: InProject => Vec<DatasetSummary> [Datasets];
    query  "dataset.show"         datasets::show: DatasetPick => DatasetDetail [Datasets, Pipelines];
    query  "dataset.page"         datasets::page: DatasetPage => TablePage [Datasets];
    query  "dataset.profile"      datasets::profile: DatasetPick => ProfileView [Datasets];
    query  "dataset.rejected"     datasets::rejected: DatasetPick => Vec<RejectedRow> [Datasets];
    query  "dataset.query"        datasets::query: DatasetQuery => TablePage [Datasets];
    action "dataset.set_target"   datasets::set_target: DatasetTarget => ();
    action "dataset.export"       keeping::export: DatasetExport => JobRef;
    action "dataset.query_export" keeping::export_query: QueryExport => JobRef;
    action "dataset.tag"          keeping::tag: DatasetTag => ();
    action "dataset.delete"       keeping::delete: DatasetDelete => TrashPick;
    action "dataset.follow"       keeping::follow: DatasetFollow => ();
    query  "dataset.following"    keeping::following: InProject => Vec<FollowView> [Datasets];
    action "dataset.diff"         changes::diff: DatasetDiff => JobRef;
    query  "dataset.changes"      changes::changes: DatasetChanges => ChangesPage [];
    query  "dataset.compare"      changes::compare: DatasetDiff => ProfileComparison [Datasets];
    action "dataset.report"       changes::report: DatasetReport => JobRef;
    query  "dataset.checks"       quality::checks: DatasetPick => ChecksView [Datasets];
    action "dataset.set_checks"   quality::set: DatasetChecks => ();
    action "dataset.check"        quality::run: DatasetPick => JobRef;
    query  "dataset.failing"      quality::failing: DatasetFailing => FailingPage [Datasets];
    query  "connection.list"      connections::list: Nothing => Vec<ConnectionView> [Settings];
    action "connection.add"       connections::add: ConnectionAdd => ConnectionAdded;
    action "connection.test"      connections::test: ConnectionPick => JobRef;
    action "connection.preview"   connections::preview: ConnectionPreview => JobRef;
    action "connection.remove"    connections::remove: ConnectionPick => ();
    query  "trash.list"           keeping::list_trash: Nothing => Vec<TrashView> [Datasets, Runs, Models];
    action "trash.restore"        keeping::restore: TrashPick => ();
    action "trash.empty"          keeping::empty_trash: Nothing => JobRef;

    query  "pipeline.kinds"       pipelines::kinds: Nothing => Vec<StepKindView> [];
    query  "pipeline.list"        pipelines::list: InProject => Vec<PipelineSummary> [Pipelines, Runs];
    query  "pipeline.show"        pipelines::show: PipelinePick => PipelineView [Pipelines, Runs];
    query  "pipeline.validate"    pipelines::validate: PipelineExamine => Validation [Pipelines, Datasets];
    query  "pipeline.plan"        pipelines::plan: PipelineExamine => PlanView [Pipelines, Datasets, Runs];
    query  "pipeline.explain"     lineage::explain: PipelineExplain => ExplainView [Pipelines, Datasets, Runs];
    query  "pipeline.preview"     pipelines::preview: PipelinePreview => PreviewView [Datasets];
    query  "pipeline.layout"      pipelines::layout: PipelineLayout => LayoutView [];
    action "pipeline.new"         pipelines::new: PipelineNew => PipelineView;
    action "pipeline.save"        pipelines::save: PipelineSave => PipelineView;
    action "pipeline.add_step"    pipelines::add_step: PipelineAddStep => PipelineView;
    action "pipeline.save_text"   pipelines::save_text: PipelineSaveText => PipelineView;
    action "pipeline.commit"      pipelines::commit: PipelineCommit => CommitView;
    action "pipeline.revert"      pipelines::revert: PipelinePick => PipelineView;
    action "pipeline.rename"      pipelines::rename: PipelineRename => PipelineView;
    action "pipeline.delete"      pipelines::delete: PipelinePick => ();
    query  "pipeline.export"      leaving::export: PipelineExport => Vec<ExportedFile> [Pipelines];
    action "pipeline.export_to"   leaving::export_to: PipelineExportTo => Vec<ExportedFile>;
    action "pipeline.import"      leaving::import: PipelineImport => ImportedPipeline;
    action "pipeline.run"         pipelines::run: PipelineRun => RunStarted;

    query  "run.list"             runs::list: RunList => RunPage [Runs];
    query  "run.show"             runs::show: RunPick => RunDetail [Runs, Models];
    query  "run.log"              runs::log: RunLog => LogPage [Runs];
    query  "run.output"           runs::output: RunOutput => OutputView [Runs];
    query  "run.curves"           runs::curves: RunPick => RunCurves [Runs];
    query  "run.compare"          runs::compare: RunCompare => Comparison [Runs];
    action "run.cancel"           runs::cancel: RunPick => ();
    action "run.note"             runs::note: RunNote => ();
    action "run.resume"           lineage::resume: RunResume => RunStarted;
    action "run.reproduce"        lineage::reproduce: RunReproduce => JobRef;
    query  "run.receipts"         lineage::receipts: RunPick => Vec<ReceiptView> [Runs];

    query  "sweep.list"           sweeps::list: InProject => Vec<SweepSummary> [Runs];
    query  "sweep.show"           sweeps::show: SweepPick => SweepView [Runs];
    action "sweep.start"          sweeps::start: SweepStart => RunStarted;
    action "sweep.pause"          sweeps::pause: SweepPick => ();
    action "sweep.resume"         sweeps::resume: SweepResume => RunStarted;
    action "sweep.apply"          sweeps::apply: SweepApply => SweepApplied;

    query  "trigger.list"         triggers::list: InProject => Vec<TriggerView> [Projects, Pipelines, Runs];
    query  "trigger.history"      triggers::history: TriggerPick => Vec<TriggerEventView> [Pipelines, Runs];
    action "trigger.add"          triggers::add: TriggerAdd => TriggerView;
    action "trigger.pause"        triggers::pause: TriggerPick => ();
    action "trigger.resume"       triggers::resume: TriggerPick => ();
    action "trigger.remove"       triggers::remove: TriggerPick => ();

    query  "model.list"           models::list: InProject => Vec<ModelSummary> [Models, Deployments];
    query  "model.show"           models::show: ModelPick => ModelDetail [Models, Deployments];
    query  "model.version"        models::version: ModelVersionPick => ModelVersionDetail [Models, Deployments];
    query  "model.gate"           models::gate: ModelGate => GateReport [Models];
    action "model.register"       models::register: ModelRegister => ModelLink;
    action "model.promote"        models::promote: ModelPromote => GateReport;
    action "model.predict"        models::predict: ModelPredict => JobRef;
    action "model.export"         models::export: ModelExport => JobRef;
    action "model.verify"         models::verify: ModelVersionPick => JobRef;

    query  "target.list"          deployments::targets: Nothing => Vec<TargetView> [];
    query  "deployment.list"      deployments::list: InProject => Vec<DeploymentSummary> [Deployments, Models, Alerts];
    query  "deployment.show"      deployments::show: DeploymentPick => DeploymentDetail [Deployments, Models, Alerts];
    query  "deployment.log"       deployments::log: DeploymentPick => LogPage [Deployments];
    action "deployment.create"    deployments::create: DeploymentCreate => JobRef;
    action "deployment.rollback"  deployments::rollback: DeploymentRollback => JobRef;
    action "deployment.stop"      deployments::stop: DeploymentPick => ();
    action "deployment.start"     deployments::start: DeploymentPick => JobRef;
    action "deployment.try"       deployments::try_it: DeploymentTry => TryResult;

    query  "monitor.status"       monitors::status: MonitorStatus => MonitorView [Monitors, Deployments, Alerts];
    action "monitor.replay"       monitors::replay: MonitorReplay => JobRef;
    action "monitor.check"        monitors::check: MonitorCheck => JobRef;
    action "monitor.set_rules"    monitors::set_rules: MonitorRules => ();
    action "alert.acknowledge"    monitors::acknowledge: AlertAcknowledge => ();
}
