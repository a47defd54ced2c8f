//! `register`: make a version of a model, once its package was proved to answer as the run did.

use base::{Code, Error, Result};
use schemars::JsonSchema;
use score::Package;
use serde::{Deserialize, Serialize};

use super::evaluate::{ModelMetrics, REPORT_FILE, Report, copy_folder, face, write_json};
use super::scored::prove;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Registration, Shapes, SourceTable,
    TableShape, Work,
};

/// The package may differ from the run by this much of a probability or of the target's unit,
/// relative above 1: single precision has seven digits.
pub const PARITY_LIMIT: f64 = 1e-6;

/// The kind `register`.
pub struct Register;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The model's name.
    model: String,
}

impl Kind for Register {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "register",
            version: 1,
            title: "Register",
            category: Category::Release,
            summary: "Makes a version of a model, after proving its package.",
            doc: "Held-out rows are scored by the package and compared with what the trainer said of them; \
                  more than 1e-6 apart is a failure. The same package again makes no new version. Wire the \
                  checks that must hold first.",
            synonyms: &["registry", "save", "version", "publish", "mlflow"],
            inputs: const {
                &[
                    Port::one("model", PortType::Model, "An evaluated model."),
                    Port::any("checks", PortType::Metrics, "Checks that must hold first."),
                ]
            },
            outputs: const {
                &[
                    Port::one("package", PortType::Model, "The package as it was registered."),
                    Port::one("report", PortType::Report, "The proof."),
                ]
            },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        _inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        if params.model.trim().is_empty() {
            let error = Error::invalid("the model has no name").hint("write the name to register it under");
            return Err(Misfit::param("model", error));
        }
        Ok(None)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let folder = work.input("model")?;
        let package = Package::load(folder)?;
        let measured = ModelMetrics::read(folder)?;
        let mut notes = Vec::new();
        match prove(folder, &package)? {
            Some(proof) if proof.max_abs_diff <= PARITY_LIMIT => {
                let difference = base::number(proof.max_abs_diff, 2);
                notes.push(format!(
                    "the package differs from the run by at most {difference} over {} rows",
                    proof.rows
                ));
            }
            Some(proof) => {
                let difference = base::number(proof.max_abs_diff, 3);
                let message =
                    format!("the package differs from the run by {difference}, more than {PARITY_LIMIT}");
                return Err(
                    Error::new(Code::GateFailed, message).hint("please report this with the run's log")
                );
            }
            None => notes
                .push("no rows were held out, so the package could not be compared with the run".to_owned()),
        }
        notes.iter().for_each(|note| work.log(note));
        copy_folder(folder, &work.output("package")?)?;
        write_json(&work.output("report")?.join(REPORT_FILE), &Report { figures: Vec::new(), notes })?;
        Ok(Outcome {
            summary: format!(
                "{} {}",
                params.model,
                measured.map(|all| face(&all.metrics)).unwrap_or_default()
            ),
            registration: Some(Registration { model: params.model.clone(), port: "package".to_owned() }),
            ..Outcome::default()
        })
    }
}
