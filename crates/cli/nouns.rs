//! The nouns: each verb is one command of the list, and a way to print its answer.

mod data;
mod judging;
mod keeping;
mod models;
mod pipelines;
mod retraining;
mod runs;
mod sources;
mod sweeps;
mod tracking;
mod triggers;

use base::{Error, Result};
use serde_json::{Map, Value, json};

use crate::args::models::ModelVerb;
use crate::args::{Args, AuditVerb, Noun, ProjectVerb, TrackVerb, WorkspaceVerb};
use crate::backend::Backend;
use crate::print::{Printer, table};

/// What every verb needs.
struct Context<'a> {
    backend: Backend,
    printer: &'a Printer,
    project: Option<&'a str>,
}

impl Context<'_> {
    /// A request about the project of this call; one about a run has it in the run's name.
    fn request(&self, mut fields: Value) -> Value {
        if let (Some(project), Some(map)) = (self.project, fields.as_object_mut())
            && !map.contains_key("run")
        {
            map.insert("project".to_owned(), json!(project));
        }
        fields
    }

    /// What a person calls a run, with the project of this call if it is a number.
    fn run(&self, said: &str) -> String {
        let number = said.trim_start_matches('#');
        match self.project {
            Some(project) if number.len() < 10 && number.parse::<u32>().is_ok() => {
                format!("{project}#{number}")
            }
            _ => said.to_owned(),
        }
    }

    /// Calls a command about a project and prints its answer.
    fn show(&self, command: &str, fields: Value, text: impl FnOnce(&Value) -> String) -> Result<u8> {
        let reply: Value = self.backend.call(command, self.request(fields))?;
        self.printer.result(&reply, text);
        Ok(0)
    }

    /// Runs a job about a project, prints its result and gives it back.
    fn job(&self, command: &str, fields: Value, text: impl FnOnce(&Value) -> String) -> Result<Value> {
        let job = self.backend.run_job(command, self.request(fields), self.printer)?;
        let result = job.result.unwrap_or_default();
        self.printer.result(&result, text);
        Ok(result)
    }
}

/// Runs a verb and gives back the exit code.
///
/// # Errors
/// Whatever the command refuses.
pub fn run(args: &Args, noun: &Noun, printer: &Printer) -> Result<u8> {
    if let Noun::Workspace { verb: WorkspaceVerb::New { folder } } = noun {
        let engine = engine::Engine::create(std::path::Path::new(&crate::absolute(folder)?))?;
        let info = engine.dispatch("workspace.info", json!({}))?;
        printer.result(&info, |info| format!("made a workspace in {}", text(&info["root"])));
        return Ok(0);
    }
    if let Noun::Workspace { verb: WorkspaceVerb::Repair } = noun {
        let report = engine::repair(&crate::backend::folder(args)?.0)?;
        printer.result(&report, |report| {
            format!(
                "rebuilt the index from {} manifests, {} troubles",
                report["manifests"],
                report["troubles"].as_array().map_or(0, Vec::len)
            )
        });
        return Ok(0);
    }
    if let Noun::Model { verb: ModelVerb::Verify(which) } = noun
        && std::path::Path::new(&which.model).is_file()
    {
        // A passport is checked without a workspace: whoever gets one has none.
        return judging::passport(std::path::Path::new(&which.model), printer);
    }
    let makes = matches!(noun, Noun::Dataset { .. } | Noun::Project { .. } | Noun::Connection { .. })
        || matches!(noun, Noun::Track { verb: TrackVerb::Import { .. } });
    let backend = Backend::open(args, makes && args.workspace.is_none())?;
    let context = Context { backend, printer, project: args.project.as_deref() };
    match noun {
        Noun::Workspace { verb } => workspace(&context, verb),
        Noun::Project { verb } => project(&context, verb),
        Noun::Dataset { verb } => data::run(&context, verb),
        Noun::Connection { verb } => sources::connection(&context, verb),
        Noun::Trash { verb } => keeping::trash(&context, verb),
        Noun::Pipeline { verb } => pipelines::pipeline(&context, verb),
        Noun::Sweep(args) => sweeps::sweep(&context, args),
        Noun::Trigger { verb } => triggers::trigger(&context, verb),
        Noun::Run { verb: Some(verb), .. } => pipelines::run(&context, verb),
        Noun::Model { verb } => models::model(&context, verb),
        Noun::Target { verb } => models::targets(&context, verb),
        Noun::Deployment { verb } => models::deployment(&context, verb),
        Noun::Monitor { verb } => models::monitor(&context, verb),
        Noun::Audit { verb: Some(AuditVerb::Verify), .. } => judging::verify_audit(&context),
        Noun::Audit { limit, verb: None } => audit(&context, *limit),
        Noun::Policy { verb } => judging::policy(&context, verb),
        Noun::Identity { verb } => judging::identity(&context, verb),
        Noun::Track { verb } => tracking::run(&context, verb),
        Noun::Call { command, request } => call(&context, command, request),
        Noun::Run { verb: None, .. }
        | Noun::Demo(_)
        | Noun::Daemon { .. }
        | Noun::Step { .. }
        | Noun::Read { .. } => Err(Error::internal("this verb is handled elsewhere")),
    }
}

fn workspace(context: &Context, verb: &WorkspaceVerb) -> Result<u8> {
    match verb {
        WorkspaceVerb::New { .. } | WorkspaceVerb::Repair | WorkspaceVerb::Info => {
            let reply: Value = context.backend.call("workspace.info", json!({}))?;
            context.printer.result(&reply, |info| {
                let size = |name: &str| base::bytes(info[name].as_u64().unwrap_or(0));
                format!(
                    "{}\nindex {}, objects {}, cache {}\nproject {}",
                    text(&info["root"]),
                    size("indexBytes"),
                    size("objectsBytes"),
                    size("cacheBytes"),
                    text(&info["currentProject"]),
                )
            });
            Ok(0)
        }
        WorkspaceVerb::Check { full } => {
            let job = context.backend.run_job("workspace.check", json!({ "full": full }), context.printer)?;
            let report = job.result.unwrap_or_default();
            let is_clean = report["isClean"] == true;
            context.printer.result(&report, |report| {
                let findings = report["findings"].as_array().into_iter().flatten();
                let lines =
                    findings.map(|one| format!("{}: {}", text(&one["subject"]), text(&one["message"])));
                let last = if is_clean { "the workspace is clean" } else { "run `fettle workspace repair`" };
                lines
                    .chain([format!("{last} ({} objects looked at)", report["objects"])])
                    .collect::<Vec<_>>()
                    .join("\n")
            });
            Ok(if is_clean { 0 } else { base::Code::Corrupt.exit_code() })
        }
        WorkspaceVerb::Gc { dry_run } => {
            let job =
                context.backend.run_job("workspace.gc", json!({ "dryRun": dry_run }), context.printer)?;
            context.printer.result(&job.result.unwrap_or_default(), |report| {
                let freed = base::bytes(report["freedBytes"].as_u64().unwrap_or(0));
                let would = if *dry_run { "would free" } else { "freed" };
                format!("{would} {freed} in {} objects", report["objects"])
            });
            Ok(0)
        }
    }
}

fn project(context: &Context, verb: &ProjectVerb) -> Result<u8> {
    let named = |project: &Value| format!("{} ({})", text(&project["name"]), text(&project["slug"]));
    match verb {
        ProjectVerb::New { name } => {
            let reply: Value = context.backend.call("project.new", json!({ "name": name }))?;
            context.printer.result(&reply, |project| format!("made and opened {}", named(project)));
        }
        ProjectVerb::Open { project } => {
            let reply: Value = context.backend.call("project.open", json!({ "project": project }))?;
            context.printer.result(&reply, |project| format!("opened {}", named(project)));
        }
        ProjectVerb::List => {
            let reply: Value = context.backend.call("project.list", json!({}))?;
            context
                .printer
                .result(&reply, |list| rows(list, &["slug", "name", "datasets", "pipelines", "models"], &[]));
        }
        ProjectVerb::Status => {
            return context.show("project.status", json!({}), |status| {
                let changed = status["changed"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|file| format!("  {}", text(file)));
                let head = format!("{} on {}", text(&status["name"]), text(&status["branch"]));
                std::iter::once(head).chain(changed).collect::<Vec<_>>().join("\n")
            });
        }
    }
    Ok(0)
}

fn audit(context: &Context, limit: u32) -> Result<u8> {
    let reply: Value = context.backend.call("audit.list", json!({ "limit": limit }))?;
    context.printer.result(&reply, |list| rows(list, &["id", "at", "action", "subject"], &["at"]));
    Ok(0)
}

fn call(context: &Context, command: &str, request: &str) -> Result<u8> {
    let request: Value = serde_json::from_str(request).map_err(|e| {
        Error::invalid("the request is not JSON")
            .because(e)
            .hint("quote it for your shell: '{\"dataset\": \"x\"}'")
    })?;
    let reply: Value = context.backend.call(command, context.request(request))?;
    // A job's result is what the caller is after, and this process may be the one that works on it.
    let reply = match reply["jobId"].as_str() {
        Some(job_id) => context.backend.wait(job_id, context.printer)?.result.unwrap_or(reply),
        None => reply,
    };
    context.printer.result(&reply, |reply| serde_json::to_string_pretty(reply).unwrap_or_default());
    Ok(0)
}

/// A list of objects as a table of these fields; those in `times` are milliseconds.
fn rows(list: &Value, fields: &[&str], times: &[&str]) -> String {
    let objects = list.as_array().map_or(&[][..], Vec::as_slice);
    let cells = objects.iter().map(|object| {
        let cell = |field: &&str| match object[*field].as_i64() {
            Some(ms) if times.contains(field) => base::Timestamp(ms).to_string(),
            _ => text(&object[*field]),
        };
        fields.iter().map(cell).collect()
    });
    if objects.is_empty() { "none yet".to_owned() } else { table(fields, &cells.collect::<Vec<_>>()) }
}

/// A JSON value as people read it: numbers to five digits, nothing for null.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => base::number(number.as_f64().unwrap_or(f64::NAN), 5),
        Value::Object(map) => pairs(map),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn pairs(map: &Map<String, Value>) -> String {
    map.iter().map(|(name, value)| format!("{name} {}", text(value))).collect::<Vec<_>>().join(", ")
}
