//! Adding a step to the draft of a pipeline: of a kind, or from a template.

use base::{Code, Error, Result};
use flow::file::{Pipeline, Step};
use flow::kinds;
use flow::template::step_id;
use store::projects::Project;

use crate::Engine;
use crate::commands::pipelines::PipelineAddStep;

/// Steps stand so far from each other, in pixels.
const ACROSS: f64 = 240.0;

impl Engine {
    /// Adds a step. What it is wired to may still be wrong; that is said where the pipeline is looked at.
    pub(crate) fn add_step(&self, project: &Project, wanted: PipelineAddStep) -> Result<()> {
        let mut pipeline = match self.pipeline(project, &wanted.pipeline) {
            Ok(current) => current.pipeline,
            Err(e) if e.code == Code::NotFound => Pipeline::of(&wanted.pipeline, Vec::new()),
            Err(e) => return Err(e),
        };
        let step = new_step(&pipeline, &wanted)?;
        pipeline.steps.push(step);
        self.save_draft(project, &wanted.pipeline, &pipeline.to_text())
    }
}

fn new_step(pipeline: &Pipeline, wanted: &PipelineAddStep) -> Result<Step> {
    let preset = wanted.template.as_deref().map(kinds::preset).transpose()?;
    let kind = match (&wanted.kind, &preset) {
        (Some(kind), Some((own, preset))) if *kind != own.declaration().kind => {
            let own = own.declaration().kind;
            return Err(Error::invalid(format!(
                "template `{}` is of kind `{own}`, not `{kind}`",
                preset.name
            ))
            .hint("leave out the kind"));
        }
        (Some(kind), _) => kinds::find(kind)?,
        (None, Some((kind, _))) => *kind,
        (None, None) => {
            return Err(Error::invalid("neither a kind nor a template of the step is named")
                .hint("see `fettle pipeline kinds` and `fettle pipeline templates`"));
        }
    };
    let said = kind.declaration();
    let mut params = preset.map(|(_, preset)| preset.read()).transpose()?.unwrap_or_default();
    params.extend(wanted.params.clone());
    kind.complete(&params).map_err(|misfit| misfit.error)?;
    let base = preset.map_or(said.kind, |(_, preset)| preset.name);
    let id = match &wanted.step {
        Some(id) if pipeline.steps.iter().any(|step| step.id == *id) => {
            return Err(Error::new(Code::AlreadyExists, format!("the pipeline has a step `{id}` already")));
        }
        Some(id) => id.clone(),
        None => free_id(pipeline, &step_id(base)),
    };
    let mut inputs = std::collections::BTreeMap::new();
    for (port, wires) in &wanted.inputs {
        inputs.insert(port.clone(), wires.iter().map(|wire| wire.parse()).collect::<Result<_>>()?);
    }
    let right = pipeline.steps.iter().map(|step| step.position).max_by(|a, b| a[0].total_cmp(&b[0]));
    let position = right.map_or([40.0, 40.0], |[x, y]| [x + ACROSS, y]);
    Ok(Step { id, kind: said.kind.to_owned(), position, params, inputs, ..Step::default() })
}

fn free_id(pipeline: &Pipeline, base: &str) -> String {
    let is_taken = |id: &str| pipeline.steps.iter().any(|step| step.id == id);
    let mut id = base.to_owned();
    let mut number = 2;
    while is_taken(&id) {
        id = format!("{base}_{number}");
        number += 1;
    }
    id
}
