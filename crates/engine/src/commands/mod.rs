//! The list of commands. A command is one line here and one plain function beside its wire types.

pub mod alerting;
pub mod backtest;
pub mod changes;
pub mod comparing;
pub mod connections;
mod convert;
mod convert_changes;
pub mod datasets;
pub mod deployments;
pub mod documents;
pub mod explaining;
pub mod figures;
pub mod jobs;
pub mod judging;
pub mod keeping;
pub mod leaving;
pub mod lineage;
pub mod models;
pub mod monitors;
pub mod performance;
pub mod pipelines;
pub mod quality;
pub mod rehearsal;
pub mod reporting;
pub mod retraining;
pub mod run_files;
pub mod run_table;
pub mod runs;
pub mod sources;
pub mod sweeps;
pub mod tracking;
pub mod triggers;
pub mod versions;
pub mod workspaces;

use crate::Engine;
use crate::judging::passport::PassportCheck;
use alerting::{AlertSetChannels, AlertTry, ChannelsView, MonitorSilence};
use backtest::MonitorBacktest;
use changes::{ChangesPage, DatasetChanges, DatasetDiff, DatasetReport, ProfileComparison};
use comparing::{CodeDiff, RunBeside, RunCode, RunCurve, RunCurveLines, RunsBeside};
use connections::{ConnectionAdd, ConnectionAdded, ConnectionPick, ConnectionPreview, ConnectionView};
use datasets::{
    DatasetDetail, DatasetImport, DatasetPage, DatasetPick, DatasetQuery, DatasetSniff, DatasetSummary,
    DatasetTarget, InProject, ProfileView, RejectedRow, SniffView, TablePage,
};
use deployments::{
    DeploymentCreate, DeploymentDetail, DeploymentPick, DeploymentPlan, DeploymentRollback,
    DeploymentSummary, DeploymentTry, TargetView, TryResult,
};
use explaining::{ModelEffect, ModelWhatIf, WhatIfView};
use jobs::{JobList, JobPick, JobRef, JobView};
use judging::{
    ApprovalView, AuditVerified, CardView, IdentityNew, IdentityView, ModelApprove, ModelPassport, ModelTest,
    ModelTestReport, ModelText, PassportPick, PolicySet, PolicyView, TestsView,
};
use keeping::{
    DatasetDelete, DatasetExport, DatasetFollow, DatasetTag, FollowView, QueryExport, TrashPick, TrashView,
};
use leaving::{ExportedFile, ImportedPipeline, PipelineExport, PipelineExportTo, PipelineImport};
use lineage::{ExplainView, PipelineExplain, ReceiptView, RunReproduce, RunResume};
use models::{
    GateReport, ModelDetail, ModelExport, ModelGate, ModelPick, ModelPredict, ModelPromote, ModelRegister,
    ModelSummary, ModelVersionDetail, ModelVersionPick,
};
use monitors::{
    AlertAcknowledge, DriftOverTime, MonitorCheck, MonitorReplay, MonitorReport, MonitorRules, MonitorStatus,
    MonitorView, MonitorWindows,
};
use performance::{MonitorLabel, MonitorPerformance, PerformanceView};
use pipelines::{
    CommitView, LayoutView, PipelineAddStep, PipelineCommit, PipelineExamine, PipelineLayout, PipelineNew,
    PipelinePick, PipelinePreview, PipelineRename, PipelineRun, PipelineSave, PipelineSaveText,
    PipelineSummary, PipelineView, PlanView, PreviewView, RunStarted, StepKindView, Validation,
};
use quality::{ChecksView, DatasetChecks, DatasetFailing, FailingPage};
use rehearsal::MonitorRehearse;
use reporting::{ReportText, RunReport, RunReportSave};
use retraining::{MonitorPick, MonitorRetrain, ProposalView};
use run_files::{RunFilePick, RunFileSave, RunFileView, RunFiles};
use run_table::{
    ExperimentView, FilterHelp, RunColumns, RunFilterHelp, RunGroups, RunMark, RunPicks, RunTable,
    RunTablePage, SavedView, ViewPick, ViewSave,
};
use runs::{
    Comparison, LogPage, ModelLink, OutputView, RunCompare, RunCurves, RunDetail, RunList, RunLog, RunNote,
    RunOutput, RunPage, RunPick,
};
use sources::{DatasetAsk, DatasetFetch, DatasetFile, DatasetReread, DatasetSniffKept, FileBytes};
use sweeps::{SweepApplied, SweepApply, SweepPick, SweepResume, SweepStart, SweepSummary, SweepView};
use tracking::{TrackingExport, TrackingImport, TrackingInfo};
use triggers::{TriggerAdd, TriggerEventView, TriggerPick, TriggerView};
use versions::{ParsedPipeline, PipelineAt, PipelineLog, PipelineParse, PipelineVersion};
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
    query  "audit.verify"         judging::verify_audit: Nothing => AuditVerified [Audit];
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
    query  "pipeline.parse"       versions::parse: PipelineParse => ParsedPipeline [Pipelines, Datasets];
    query  "pipeline.at"          versions::at: PipelineAt => PipelineVersion [Pipelines, Projects];
    query  "pipeline.log"         versions::log: PipelineLog => Vec<CommitView> [Pipelines, Projects];
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
    query  "run.table"            run_table::table: RunTable => RunTablePage [Runs];
    query  "run.groups"           run_table::groups: RunTable => RunGroups [Runs];
    query  "run.ids"              run_table::ids: RunTable => Vec<String> [Runs];
    query  "run.columns"          run_table::columns: InProject => RunColumns [Runs];
    query  "run.filter_help"      run_table::help: RunFilterHelp => FilterHelp [];
    query  "run.experiments"      run_table::experiments: InProject => Vec<ExperimentView> [Runs];
    query  "run.views"            run_table::views: InProject => Vec<SavedView> [Runs];
    action "run.save_view"        run_table::save_view: ViewSave => ();
    action "run.delete_view"      run_table::delete_view: ViewPick => ();
    action "run.mark"             run_table::mark: RunMark => ();
    action "run.delete"           run_table::delete: RunPicks => ();
    action "run.restore"          run_table::restore: RunPicks => ();
    query  "run.show"             runs::show: RunPick => RunDetail [Runs, Models];
    query  "run.log"              runs::log: RunLog => LogPage [Runs];
    query  "run.output"           runs::output: RunOutput => OutputView [Runs];
    query  "run.curves"           runs::curves: RunPick => RunCurves [Runs];
    query  "run.compare"          runs::compare: RunCompare => Comparison [Runs];
    query  "run.curve"            comparing::curve: RunCurve => RunCurveLines [Runs];
    query  "run.beside"           comparing::beside: RunBeside => RunsBeside [Runs];
    query  "run.code"             comparing::code: RunCode => CodeDiff [];
    query  "run.report"           reporting::report: RunReport => ReportText [Runs];
    action "run.save_report"      reporting::save: RunReportSave => JobRef;
    query  "run.files"            run_files::list: RunFiles => Vec<RunFileView> [Runs];
    query  "run.file"             run_files::show: RunFilePick => FileBytes [Runs];
    action "run.save_file"        run_files::save: RunFileSave => JobRef;
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

    query  "tracking.info"        tracking::info: Nothing => TrackingInfo [Runs];
    action "tracking.import"      tracking::import: TrackingImport => JobRef;
    action "tracking.export"      tracking::export: TrackingExport => JobRef;

    query  "model.list"           models::list: InProject => Vec<ModelSummary> [Models, Deployments];
    query  "model.show"           models::show: ModelPick => ModelDetail [Models, Deployments];
    query  "model.version"        models::version: ModelVersionPick => ModelVersionDetail [Models, Deployments];
    query  "model.gate"           models::gate: ModelGate => GateReport [Models];
    action "model.register"       models::register: ModelRegister => ModelLink;
    action "model.promote"        models::promote: ModelPromote => GateReport;
    action "model.predict"        models::predict: ModelPredict => JobRef;
    action "model.export"         models::export: ModelExport => JobRef;
    action "model.verify"         models::verify: ModelVersionPick => JobRef;

    query  "model.tests"          judging::tests: ModelVersionPick => TestsView [Models];
    action "model.set_tests"      judging::set_tests: ModelText => ();
    action "model.test"           judging::test: ModelTest => JobRef;
    action "model.test_report"    judging::write_report: ModelTestReport => JobRef;
    query  "model.what_if"        explaining::what_if: ModelWhatIf => WhatIfView [];
    action "model.effect"         explaining::effect: ModelEffect => JobRef;
    action "model.importance"     explaining::importance: ModelVersionPick => JobRef;
    query  "model.approvals"      judging::approvals: ModelVersionPick => Vec<ApprovalView> [Models];
    action "model.approve"        judging::approve: ModelApprove => Vec<ApprovalView>;
    action "model.withdraw"       judging::withdraw: ModelApprove => Vec<ApprovalView>;
    query  "model.card"           judging::card: ModelVersionPick => CardView [Models];
    action "model.set_card"       judging::set_card: ModelText => ();
    action "model.passport"       judging::write_passport: ModelPassport => JobRef;
    query  "passport.verify"      judging::verify_passport: PassportPick => PassportCheck [];
    query  "policy.show"          judging::policy: InProject => PolicyView [Models];
    action "policy.set"           judging::set_policy: PolicySet => ();
    query  "identity.show"        judging::identity: Nothing => Option<IdentityView> [];
    action "identity.new"         judging::new_identity: IdentityNew => IdentityView;

    query  "target.list"          deployments::targets: Nothing => Vec<TargetView> [];
    query  "deployment.list"      deployments::list: InProject => Vec<DeploymentSummary> [Deployments, Models, Alerts];
    query  "deployment.show"      deployments::show: DeploymentPick => DeploymentDetail [Deployments, Models, Alerts];
    query  "deployment.log"       deployments::log: DeploymentPick => LogPage [Deployments];
    query  "deployment.plan"      deployments::plan: DeploymentCreate => DeploymentPlan [Deployments, Models];
    action "deployment.create"    deployments::create: DeploymentCreate => JobRef;
    action "deployment.rollback"  deployments::rollback: DeploymentRollback => JobRef;
    action "deployment.stop"      deployments::stop: DeploymentPick => ();
    action "deployment.start"     deployments::start: DeploymentPick => JobRef;
    action "deployment.remove"    deployments::remove: DeploymentPick => JobRef;
    action "deployment.score"     deployments::score: DeploymentPick => JobRef;
    action "deployment.try"       deployments::try_it: DeploymentTry => TryResult;

    query  "monitor.status"       monitors::status: MonitorStatus => MonitorView [Monitors, Deployments, Alerts];
    query  "monitor.windows"      monitors::windows: MonitorWindows => DriftOverTime [Monitors, Deployments];
    query  "monitor.performance"  performance::performance: MonitorPerformance => PerformanceView [Monitors, Deployments];
    action "monitor.label"        performance::label: MonitorLabel => JobRef;
    action "monitor.replay"       monitors::replay: MonitorReplay => JobRef;
    action "monitor.check"        monitors::check: MonitorCheck => JobRef;
    action "monitor.report"       monitors::report: MonitorReport => JobRef;
    action "monitor.retrain"      retraining::retrain: MonitorRetrain => JobRef;
    query  "monitor.proposal"     retraining::proposal: MonitorPick => Option<ProposalView> [Monitors, Deployments, Models];
    action "monitor.accept"       retraining::accept: MonitorPick => JobRef;
    action "monitor.dismiss"      retraining::dismiss: MonitorPick => ();
    action "monitor.rehearse"     rehearsal::rehearse: MonitorRehearse => JobRef;
    action "monitor.backtest"     backtest::backtest: MonitorBacktest => JobRef;
    action "monitor.set_rules"    monitors::set_rules: MonitorRules => ();
    action "monitor.silence"      alerting::silence: MonitorSilence => ();
    query  "alert.channels"       alerting::channels: InProject => ChannelsView [Monitors];
    action "alert.set_channels"   alerting::set_channels: AlertSetChannels => ();
    action "alert.try"            alerting::try_channel: AlertTry => JobRef;
    action "alert.acknowledge"    monitors::acknowledge: AlertAcknowledge => ();
}
