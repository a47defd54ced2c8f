//! Pipelines of a project: the file in its git repository, and the draft of what is on the canvas.
//! A run uses the draft, so that what runs is what is seen; a commit makes the draft the file.

use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use flow::file::{Pipeline, check_name};
use flow::git::Commit;
use flow::layout::layout;
use flow::template::{Purpose, build};
use serde_json::Value;
use store::drafts;
use store::projects::Project;

use crate::Engine;
use crate::datasets::task_from;

/// A pipeline as it is now, and whether git has it like that.
pub(crate) struct Current {
    /// The graph.
    pub(crate) pipeline: Pipeline,
    /// Its text.
    pub(crate) text: String,
}

impl Engine {
    fn pipeline_file(&self, project: &Project, name: &str) -> PathBuf {
        self.store().project_dir(&project.slug).join(relative(name))
    }

    /// Names of all pipelines, with a file or only a draft, in order.
    pub(crate) fn pipeline_names(&self, project: &Project) -> Result<Vec<String>> {
        let drafts = self.store().read(|db| drafts::list(db, &project.id))?;
        let mut names: Vec<String> = drafts.into_iter().map(|draft| draft.pipeline).collect();
        let folder = self.store().project_dir(&project.slug).join("pipelines");
        match std::fs::read_dir(&folder) {
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(|e| Error::io("list", &folder, &e))?.path();
                    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
                    let stem = path.file_stem().and_then(|stem| stem.to_str());
                    names.extend(stem.filter(|stem| is_toml && check_name(stem).is_ok()).map(str::to_owned));
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => (),
            Err(e) => return Err(Error::io("list", &folder, &e)),
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The pipelines that read a dataset. One that cannot be read does not.
    pub(crate) fn pipelines_reading(&self, project: &Project, dataset: &str) -> Result<Vec<String>> {
        let names = self.pipeline_names(project)?;
        let reads = |name: &String| {
            let read = self.pipeline(project, name);
            read.and_then(|current| self.expanded(project, &current.pipeline))
                .is_ok_and(|expanded| datasets_of(&expanded.pipeline).iter().any(|one| one == dataset))
        };
        Ok(names.into_iter().filter(reads).collect())
    }

    /// A pipeline as it is now: the draft if there is one, else the file.
    pub(crate) fn pipeline(&self, project: &Project, name: &str) -> Result<Current> {
        check_name(name)?;
        let draft = self.store().read(|db| drafts::find(db, &project.id, name))?;
        let text = match draft {
            Some(draft) => draft.text,
            None => self.pipeline_text(project, name)?.ok_or_else(|| {
                Error::not_found(format!("there is no pipeline `{name}`")).hint("see `fettle pipeline list`")
            })?,
        };
        let pipeline =
            Pipeline::parse(&text).map_err(|e| e.within(format!("cannot read pipeline `{name}`")))?;
        Ok(Current { pipeline, text })
    }

    fn pipeline_text(&self, project: &Project, name: &str) -> Result<Option<String>> {
        let path = self.pipeline_file(project, name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("read", &path, &e)),
        }
    }

    /// True if what is on the canvas is not what the last commit has.
    pub(crate) fn is_pipeline_changed(&self, project: &Project, name: &str) -> Result<bool> {
        let committed = self.git(project)?.text_of(&relative(name))?;
        let draft = self.store().read(|db| drafts::find(db, &project.id, name))?;
        let now = match draft {
            Some(draft) => Some(draft.text),
            None => self.pipeline_text(project, name)?,
        };
        Ok(now != committed)
    }

    /// The last commit that touched the pipeline.
    pub(crate) fn pipeline_commit(&self, project: &Project, name: &str) -> Result<Option<Commit>> {
        self.git(project)?.last_of(&relative(name))
    }

    /// Saves a text as the draft. Its form must be right; what the graph means may still be wrong.
    pub(crate) fn save_draft(&self, project: &Project, name: &str, text: &str) -> Result<()> {
        check_name(name)?;
        let pipeline = Pipeline::parse(text)?;
        if pipeline.name != name {
            return Err(Error::invalid(format!(
                "the text names the pipeline `{}`, not `{name}`",
                pipeline.name
            ))
            .hint("use Rename to give it another name"));
        }
        self.store().note(|change| drafts::save(change, &project.id, name, text, &Value::Null))
    }

    /// Makes the draft the file and commits it.
    pub(crate) fn commit_pipeline(
        &self,
        project: &Project,
        name: &str,
        message: Option<&str>,
    ) -> Result<Commit> {
        let current = self.pipeline(project, name)?;
        let git = self.git(project)?;
        let is_first = git.text_of(&relative(name))?.is_none();
        let written =
            if is_first { format!("Add pipeline {name}") } else { format!("Change pipeline {name}") };
        let message = message.map(str::trim).filter(|message| !message.is_empty()).unwrap_or(&written);
        store::files::write_atomic(&self.pipeline_file(project, name), current.text.as_bytes())?;
        let commit = git.commit(&[&relative(name)], message, self.store().clock().now())?;
        self.store().write(store::Action::new("pipeline.commit", format!("{name}: {message}")), |w| {
            w.touch(store::Topic::Projects);
            w.touch(store::Topic::Pipelines);
            drafts::remove(w, &project.id, name)
        })?;
        Ok(commit)
    }

    /// Throws the draft away. A pipeline that was never committed is all draft and cannot go back.
    pub(crate) fn revert_pipeline(&self, project: &Project, name: &str) -> Result<()> {
        let Some(text) = self.git(project)?.text_of(&relative(name))? else {
            return Err(Error::new(Code::Conflict, format!("pipeline `{name}` was never committed"))
                .hint("undo step by step instead, or delete it"));
        };
        store::files::write_atomic(&self.pipeline_file(project, name), text.as_bytes())?;
        self.store().note(|change| drafts::remove(change, &project.id, name))
    }

    /// Gives a pipeline another name, in the file and in git.
    pub(crate) fn rename_pipeline(&self, project: &Project, name: &str, to: &str) -> Result<()> {
        check_name(to)?;
        if self.pipeline_names(project)?.iter().any(|other| other == to) {
            return Err(Error::new(Code::AlreadyExists, format!("there is a pipeline `{to}` already")));
        }
        let mut pipeline = self.pipeline(project, name)?.pipeline;
        pipeline.name = to.to_owned();
        self.save_draft(project, to, &pipeline.to_text())?;
        self.delete_pipeline(project, name)
    }

    /// Removes a pipeline; git keeps what was committed.
    pub(crate) fn delete_pipeline(&self, project: &Project, name: &str) -> Result<()> {
        self.pipeline(project, name)?;
        let path = self.pipeline_file(project, name);
        if path.exists() {
            std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, &e))?;
            let message = format!("Remove pipeline {name}");
            self.git(project)?.commit(&[&relative(name)], &message, self.store().clock().now())?;
        }
        self.store().write(store::Action::new("pipeline.delete", name), |w| {
            w.touch(store::Topic::Projects);
            drafts::remove(w, &project.id, name)
        })
    }

    /// Makes a pipeline: empty, or for a dataset with a target.
    pub(crate) fn new_pipeline(
        &self,
        project: &Project,
        name: Option<&str>,
        dataset: Option<&str>,
    ) -> Result<String> {
        let wanted = name.or(dataset).unwrap_or("pipeline").to_owned();
        check_name(&wanted)?;
        let taken = self.pipeline_names(project)?;
        if name.is_some() && taken.contains(&wanted) {
            return Err(Error::new(Code::AlreadyExists, format!("there is a pipeline `{wanted}` already"))
                .hint("choose another name"));
        }
        let names = std::iter::once(wanted.clone()).chain((2..).map(|n| format!("{wanted}_{n}")));
        let name = names.into_iter().find(|name| !taken.contains(name)).unwrap_or(wanted);
        let pipeline = match dataset {
            Some(dataset) => self.pipeline_for(project, &name, dataset)?,
            None => Pipeline::of(&name, Vec::new()),
        };
        self.save_draft(project, &name, &pipeline.to_text())?;
        Ok(name)
    }

    fn pipeline_for(&self, project: &Project, name: &str, dataset: &str) -> Result<Pipeline> {
        let dataset = self.dataset(project, dataset)?;
        let profile = self.import_record(&self.version(&dataset, None)?)?.profile;
        let suggested = || data::profile::suggest_target(&profile).map(|found| (found.column, found.task));
        let chosen = dataset.target.clone().zip(dataset.task.as_deref().and_then(task_from));
        let (target, task) = chosen.or_else(suggested).ok_or_else(|| {
            Error::invalid(format!("dataset `{}` has no column to predict", dataset.name))
                .hint("choose the target first, in the header of its column")
        })?;
        let columns: Vec<data::Column> =
            profile.columns.iter().map(|column| data::Column::new(&column.name, column.kind)).collect();
        // A column that names a row, or says nothing, teaches a model only to remember.
        let is_useless = |column: &&data::ColumnProfile| {
            column.name != target
                && (column.distinct < 2 || column.is_id_like() || column.kind == data::Kind::Time)
        };
        let left_out: Vec<String> =
            profile.columns.iter().filter(is_useless).map(|column| column.name.clone()).collect();
        let model = dataset.name.replace('_', "-");
        let purpose = Purpose {
            name,
            dataset: &dataset.name,
            columns: &columns,
            target: &target,
            task,
            left_out: &left_out,
            model: &model,
        };
        Ok(build(&purpose))
    }

    /// A pipeline as it was in a commit; in the last one if none is named.
    pub(crate) fn pipeline_at(
        &self,
        project: &Project,
        name: &str,
        commit: Option<&str>,
    ) -> Result<(Current, Commit)> {
        check_name(name)?;
        let git = self.git(project)?;
        let commit = match commit {
            Some(commit) => git.find(commit)?,
            None => git.last_of(&relative(name))?.ok_or_else(|| {
                Error::not_found(format!("pipeline `{name}` was never committed"))
                    .hint("commit it with `fettle pipeline commit`")
            })?,
        };
        let text = git.text_at(&commit.id, &relative(name))?.ok_or_else(|| {
            Error::not_found(format!("commit `{}` has no pipeline `{name}`", short(&commit.id)))
                .hint("see `fettle pipeline log` for those that have it")
        })?;
        let read = Pipeline::parse(&text);
        let pipeline = read.map_err(|e| e.within(format!("cannot read it as of `{}`", short(&commit.id))))?;
        Ok((Current { pipeline, text }, commit))
    }

    /// The newest commits that changed a pipeline, newest first.
    pub(crate) fn pipeline_log(&self, project: &Project, name: &str, limit: usize) -> Result<Vec<Commit>> {
        check_name(name)?;
        self.git(project)?.log_of(&relative(name), limit)
    }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

/// Where a pipeline's file is in its project.
fn relative(name: &str) -> PathBuf {
    Path::new("pipelines").join(format!("{name}.toml"))
}

/// The datasets that a pipeline reads, in order and once each.
pub(crate) fn datasets_of(pipeline: &Pipeline) -> Vec<String> {
    let steps = pipeline.steps.iter().filter(|step| step.kind == "dataset");
    let mut names: Vec<String> =
        steps.filter_map(|step| step.params.get("dataset")?.as_str().map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    names
}

/// Where the steps of a graph should stand.
pub(crate) fn positions(pipeline: &Pipeline) -> std::collections::BTreeMap<String, [f64; 2]> {
    layout(pipeline)
}
