//! Files that are scored: no server, but a version, a place to look for files, and a place for the
//! answers. The scoring itself is in `scoring.rs`; here is what decides which version does it.

use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use flow::trigger::Trigger;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answers, Declaration, Placed, Probe, Site, Target, Work, absolute, tail};

/// Its name in commands.
pub(crate) const KIND: &str = "batch";

/// The target `batch`.
pub(crate) struct Batch;

/// Its parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// The files to score: a pattern such as `/data/in/*.csv` or `/data/in/**/*.parquet`.
    #[schemars(extend("x-first" = true))]
    pub(crate) input: String,
    /// The folder for the answers.
    #[schemars(extend("x-first" = true))]
    pub(crate) output: PathBuf,
    /// When to look for new files, as cron writes it: `*/15 * * * *`. By hand only if left out.
    #[schemars(extend("x-first" = true))]
    pub(crate) schedule: Option<String>,
    /// The schedule's time zone, such as `Europe/Berlin`; UTC if left out.
    pub(crate) zone: Option<String>,
}

impl Params {
    /// The schedule, if there is one.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn trigger(&self) -> Result<Option<Trigger>> {
        let Some(schedule) = self.schedule.clone().filter(|text| !text.is_empty()) else { return Ok(None) };
        let mut trigger = Trigger::new(KIND, KIND);
        trigger.schedule = Some(schedule);
        trigger.zone.clone_from(&self.zone);
        trigger.on()?;
        Ok(Some(trigger))
    }

    /// The folder in which all files lie that the pattern can mean.
    pub(crate) fn root(&self) -> &Path {
        let input = Path::new(&self.input);
        let is_plain = |folder: &&Path| !folder.to_string_lossy().contains(['*', '?', '[']);
        input.ancestors().skip(1).find(is_plain).unwrap_or(Path::new("/"))
    }

    fn check(&self) -> Result<()> {
        if self.input.is_empty() || self.output.as_os_str().is_empty() {
            let name = if self.input.is_empty() { "input" } else { "output" };
            return Err(Error::invalid(format!("scoring files needs `{name}`"))
                .hint("set `input` to a pattern such as `/data/in/*.csv` and `output` to a folder"));
        }
        absolute("input", Some(Path::new(&self.input)))?;
        absolute("output", Some(&self.output))?;
        glob::Pattern::new(&self.input).map_err(|e| {
            Error::invalid(format!("`{}` is no pattern for files", self.input.escape_debug())).because(e.msg)
        })?;
        self.trigger().map(drop)
    }
}

impl Target for Batch {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: KIND,
            title: "Files in a folder",
            summary: "Scores the files that come into a folder, by hand or on a schedule; no server runs.",
            doc: "Each file is scored once by each version; what was done is written down beside the answers, so that \
                  an interrupted run goes on where it was. Rows that cannot be read are written to a file of their \
                  own. A new version becomes the one that scores after it answered the golden rows.",
            runs: true,
            is_remote: false,
        }
    }

    fn plan(&self, params: &Params, work: &Work) -> Result<Vec<String>> {
        params.check()?;
        let (version, output) = (work.version, params.output.display());
        let mut steps = vec![
            "ask the package for the golden rows".to_owned(),
            format!("score the files `{}` with version {version} from now on, into `{output}`", params.input),
        ];
        steps.push(match params.trigger()? {
            Some(trigger) => format!("look for new files {}", trigger.sentence()),
            None => "score when asked to".to_owned(),
        });
        Ok(steps)
    }

    /// The package in the deployment's folder is all it needs.
    fn build(&self, params: &Params, work: &Work) -> Result<Placed> {
        work.load()?;
        Ok(Placed { place: Some(params.output.display().to_string()), ..Placed::default() })
    }

    fn apply(&self, params: &Params, _work: &Work, _placed: &mut Placed) -> Result<()> {
        if params.root().is_dir() {
            return Ok(());
        }
        Err(Error::new(Code::NotFound, format!("there is no folder `{}`", params.root().display()))
            .hint("make it, or choose another `input`"))
    }

    fn probe(&self, _params: &Params, work: &Work, _placed: &Placed, rows: &Probe) -> Result<Answers> {
        rows.here(work)
    }

    fn switch(&self, params: &Params, _work: &Work, _placed: &mut Placed) -> Result<()> {
        let output = &params.output;
        std::fs::create_dir_all(output).map_err(|e| Error::io("create", output, &e))
    }

    fn withdraw(&self, _params: &Params, _work: &Work, _placed: &Placed) -> Result<Option<Placed>> {
        Ok(None)
    }

    fn is_up(&self, params: &Params, _site: &Site, _placed: &Placed) -> bool {
        params.root().is_dir() && params.output.is_dir()
    }

    fn log(&self, _params: &Params, site: &Site, _placed: &Placed) -> Result<String> {
        tail(&super::log_file(site.folder))
    }

    /// Nothing runs; what is stopped is not scored on its schedule.
    fn stop(&self, _params: &Params, _site: &Site, _placed: &Placed) -> Result<()> {
        Ok(())
    }

    /// The answers are the user's and stay.
    fn remove(&self, _params: &Params, _site: &Site, _placed: &Placed) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_folder_before_the_first_wildcard() {
        for (input, root) in [
            ("/data/in/*.csv", "/data/in"),
            ("/data/20*/x/**/*.csv", "/data"),
            ("/data/a.csv", "/data"),
            ("/*", "/"),
        ] {
            let params = Params { input: input.to_owned(), ..Params::default() };
            assert_eq!(params.root(), Path::new(root), "{input}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let good = Params { input: "/in/*.csv".to_owned(), output: "/out".into(), ..Params::default() };
        assert!(good.check().is_ok());
        for (wrong, named) in [
            (Params { input: String::new(), ..good.clone() }, "input"),
            (Params { output: PathBuf::new(), ..good.clone() }, "output"),
            (Params { input: "in/*.csv".to_owned(), ..good.clone() }, "input"),
            (Params { output: "out".into(), ..good.clone() }, "output"),
            (Params { input: "/in/***".to_owned(), ..good.clone() }, "pattern"),
            (Params { schedule: Some("every day".to_owned()), ..good.clone() }, "every day"),
            (
                Params { schedule: Some("@daily".to_owned()), zone: Some("Moon".to_owned()), ..good.clone() },
                "Moon",
            ),
        ] {
            let error = wrong.check().expect_err(named);
            assert!(format!("{error} {:?}", error.causes).contains(named), "{named}: {error:?}");
        }
    }
}
