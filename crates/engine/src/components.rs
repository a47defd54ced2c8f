//! Pipelines with the steps of their components in place, and what is wrong with them in terms of what
//! a person sees.

use std::collections::BTreeSet;

use base::{Progress, Result};
use flow::component::{Expanded, expand};
use flow::file::Pipeline;
use flow::graph::{Examination, Graph, Problem, Selection};
use flow::kind::Source;
use store::projects::Project;

use crate::Engine;

impl Engine {
    /// A pipeline as it runs: the steps of components in their place.
    ///
    /// # Errors
    /// A component that cannot be one.
    pub(crate) fn expanded(&self, project: &Project, pipeline: &Pipeline) -> Result<Expanded> {
        self.try_expand(project, pipeline).map_err(|problems| Problem::to_error(&problems))
    }

    fn try_expand(&self, project: &Project, pipeline: &Pipeline) -> Result<Expanded, Vec<Problem>> {
        expand(pipeline, &|name: &str| Ok(self.pipeline(project, name)?.pipeline))
    }

    /// Looks at a pipeline without running it.
    pub(crate) fn examine(&self, project: &Project, pipeline: &Pipeline) -> (Examination, Option<Expanded>) {
        match self.try_expand(project, pipeline) {
            Ok(expanded) => (self.examine_expanded(project, &expanded), Some(expanded)),
            Err(problems) => (Examination { problems, ..Examination::default() }, None),
        }
    }

    /// Looks at a pipeline whose components are open.
    pub(crate) fn examine_expanded(&self, project: &Project, expanded: &Expanded) -> Examination {
        let find = |source: &Source| self.source_table(project, source, &Progress::silent());
        expanded.seen(Graph::examine(&expanded.pipeline, &find))
    }

    /// The pipeline with open components and the graph that it means, if it can run as a whole.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn runnable(&self, project: &Project, pipeline: &Pipeline) -> Result<(Expanded, Graph)> {
        let expanded = self.expanded(project, pipeline)?;
        let examined = self.examine_expanded(project, &expanded);
        match Graph::build(&expanded.pipeline) {
            Ok(graph) if examined.problems.is_empty() => Ok((expanded, graph)),
            _ => Err(Problem::to_error(&examined.problems)),
        }
    }
}

/// The steps from one of the pipeline on and up to another, where each may be a component.
pub(crate) fn select(
    expanded: &Expanded,
    graph: &Graph,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Selection> {
    let steps = |name: Option<&str>| name.map(|name| expanded.steps_of(name)).unwrap_or_default();
    graph.select(&steps(from), &steps(to))
}

/// The steps that a step of the pipeline needs, where it may be a component; all if none is named.
pub(crate) fn needed(expanded: &Expanded, graph: &Graph, to: Option<&str>) -> Result<BTreeSet<String>> {
    Ok(select(expanded, graph, None, to)?.steps)
}
