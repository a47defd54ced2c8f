//! `component`: another pipeline of the project as a step. It never runs as such: its steps take its
//! place before a run (see [`crate::component`]).

use std::collections::BTreeMap;

use base::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind's name.
pub const NAME: &str = "component";

/// The kind `component`.
pub struct Component;

/// Its parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The pipeline of this project whose steps are meant. It declares its inputs and outputs as
    /// `[[input]]` and `[[output]]`.
    #[schemars(extend("x-pipeline" = true))]
    pub pipeline: String,
    /// Other values for parameters of its steps, by step and parameter, such as `set.forest.trees = 50`.
    pub set: BTreeMap<String, Map<String, Value>>,
}

impl Kind for Component {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: NAME,
            version: 1,
            title: "Component",
            category: Category::Code,
            summary: "Uses another pipeline of the project as a step.",
            doc: "The steps of that pipeline take the place of this one before anything runs, each under the \
                  name `<this step>__<its step>`, so they are cached and shown one by one. Its ports are those \
                  that the pipeline declares. A change to that pipeline is a change to all that use it; a run \
                  keeps the steps as they were.",
            synonyms: &["sub-pipeline", "subgraph", "metanode", "reuse", "group", "macro", "function"],
            inputs: const { &[Port::optional("table", PortType::Table, "As the pipeline declares.")] },
            outputs: const { &[Port::one("table", PortType::Table, "As the pipeline declares.")] },
            names_inputs: false,
        }
    }

    fn names_ports(&self) -> bool {
        true
    }

    fn shape(
        &self,
        params: &Params,
        _inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        if params.pipeline.is_empty() {
            let error = Error::invalid("no pipeline is chosen").hint("name one that declares an output");
            return Err(Misfit::param("pipeline", error));
        }
        Ok(None)
    }

    fn run(&self, params: &Params, _work: &Work) -> Result<Outcome> {
        Err(Error::internal(format!(
            "the steps of `{}` did not take the place of their component",
            params.pipeline
        )))
    }
}
