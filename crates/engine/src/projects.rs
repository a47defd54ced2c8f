//! Projects: which one a request is about, its git repository, what comes next in it.

use base::{Error, Result};
use flow::git::{Commit, Git};
use store::projects::Project;
use store::{Action, projects, settings};

use crate::Engine;
use crate::commands::pipelines::CommitView;
use crate::commands::workspaces::{ProjectStatus, ProjectSummary, Settings};

const CURRENT: &str = "current_project";
const SETTINGS: &str = "settings";
const README: &str = "README.md";
/// The name of a project that nobody named.
const FIRST: &str = "My project";

impl Engine {
    /// The project a request names; without a name the one that is open, which is made if there is
    /// none at all.
    pub(crate) fn project(&self, slug: Option<&str>) -> Result<Project> {
        if let Some(slug) = slug {
            return self.store().read(|db| projects::by_slug(db, slug))?.ok_or_else(|| {
                Error::not_found(format!("there is no project `{}`", slug.escape_debug()))
                    .hint("see `fettle project list`")
            });
        }
        let found = self.store().read(|db| {
            let current: Option<String> = settings::get(db, CURRENT)?;
            let current = current.map(|slug| projects::by_slug(db, &slug)).transpose()?.flatten();
            Ok(current.or(projects::list(db)?.into_iter().next()))
        })?;
        match found {
            Some(project) => Ok(project),
            None => self.first_project(),
        }
    }

    /// The project of a workspace that has none yet, made once however many ask for it together.
    fn first_project(&self) -> Result<Project> {
        let project = self.store().write(Action::new("project.new", FIRST), |w| {
            if let Some(project) = projects::list(w)?.into_iter().next() {
                return Ok(project);
            }
            let project = projects::create(w, FIRST)?;
            settings::set(w, CURRENT, &project.slug)?;
            Ok(project)
        })?;
        self.git(&project)?;
        Ok(project)
    }

    /// Makes a project with its git repository and opens it.
    pub(crate) fn new_project(&self, name: &str) -> Result<Project> {
        let name = name.trim();
        if name.is_empty() {
            return Err(Error::invalid("a project needs a name"));
        }
        let project = self.store().write(Action::new("project.new", name), |w| {
            let project = projects::create(w, name)?;
            settings::set(w, CURRENT, &project.slug)?;
            Ok(project)
        })?;
        self.git(&project)?;
        Ok(project)
    }

    /// Makes another project the one that is open.
    pub(crate) fn open_project(&self, slug: &str) -> Result<Project> {
        let project = self.project(Some(slug))?;
        self.store().write(Action::new("project.open", &project.slug), |w| {
            settings::set(w, CURRENT, &project.slug)
        })?;
        Ok(project)
    }

    /// The project's repository, made and begun if it is not there.
    pub(crate) fn git(&self, project: &Project) -> Result<Git> {
        let folder = self.store().project_dir(&project.slug);
        let _opening = self.repositories();
        std::fs::create_dir_all(folder.join("pipelines")).map_err(|e| Error::io("create", &folder, &e))?;
        let git = Git::open_or_create(&folder)?;
        if git.last()?.is_none() {
            let text = format!("# {}\n\nA project of Fettle. Pipelines are in `pipelines/`.\n", project.name);
            store::files::write_atomic(&folder.join(README), text.as_bytes())?;
            let config = format!("format = 1\nname = {}\n", toml_text(&project.name));
            store::files::write_atomic(&folder.join("fettle.toml"), config.as_bytes())?;
            let files = [README.as_ref(), "fettle.toml".as_ref()];
            git.commit(&files, "Begin the project", self.store().clock().now())?;
        }
        Ok(git)
    }

    pub(crate) fn project_summary(&self, project: &Project) -> Result<ProjectSummary> {
        let (datasets, models) = self.store().read(|db| {
            Ok((store::datasets::list(db, &project.id)?.len(), store::models::list(db, &project.id)?.len()))
        })?;
        Ok(ProjectSummary {
            slug: project.slug.clone(),
            name: project.name.clone(),
            created_at: project.created_at.as_ms(),
            datasets: datasets as u32,
            pipelines: self.pipeline_names(project)?.len() as u32,
            models: models as u32,
        })
    }

    pub(crate) fn project_status(&self, project: &Project) -> Result<ProjectStatus> {
        let git = self.git(project)?;
        let mut changed = git.changed()?;
        for name in self.pipeline_names(project)? {
            let file = format!("pipelines/{name}.toml");
            if !changed.contains(&file) && self.is_pipeline_changed(project, &name)? {
                changed.push(file);
            }
        }
        changed.sort();
        Ok(ProjectStatus {
            slug: project.slug.clone(),
            name: project.name.clone(),
            branch: git.branch(),
            changed,
            commit: git.last()?.map(commit_view),
        })
    }

    /// The slug of the project that is open.
    pub(crate) fn current_slug(&self) -> Result<Option<String>> {
        self.store().read(|db| settings::get(db, CURRENT))
    }

    pub(crate) fn settings(&self) -> Result<Settings> {
        Ok(self.store().read(|db| settings::get(db, SETTINGS))?.unwrap_or_default())
    }

    pub(crate) fn set_settings(&self, new: &Settings) -> Result<()> {
        if !["system", "light", "dark"].contains(&new.theme.as_str()) {
            return Err(
                Error::invalid(format!("there is no theme `{}`", new.theme)).hint("system, light or dark")
            );
        }
        if !(80..=150).contains(&new.zoom_pct) {
            return Err(
                Error::invalid(format!("a zoom of {} % is too much", new.zoom_pct)).hint("from 80 to 150")
            );
        }
        self.store().write(Action::new("settings.set", "settings"), |w| settings::set(w, SETTINGS, new))
    }
}

/// A commit as the screens show it.
pub(crate) fn commit_view(commit: Commit) -> CommitView {
    CommitView {
        id: commit.id.chars().take(10).collect(),
        message: commit.message,
        author: commit.author,
        at: commit.at.as_ms(),
    }
}

/// JSON strings without line breaks are TOML strings.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text.replace(['\n', '\r'], " ")).to_string()
}
