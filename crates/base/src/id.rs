//! Ids: 32 lower-case hexadecimal digits, the form MLflow uses for runs, drawn at random. Each
//! kind of thing has its own type, so that a run's id cannot stand where a job's is asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, Result};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(String);

        impl $name {
            /// A new random id (version 4 UUID, so never from wall time alone).
            #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
            pub fn new() -> Self {
                Self(uuid::Uuid::new_v4().simple().to_string())
            }

            /// The 32 digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let fits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                if !fits {
                    return Err(Error::invalid(format!("`{}` is not the id of a {}", text.escape_debug().take(64).collect::<String>(), $what))
                        .hint("an id has 32 hexadecimal digits"));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )* };
}

id! {
    /// Names a project of the workspace.
    ProjectId, "project";
    /// Names a dataset over all its versions.
    DatasetId, "dataset";
    /// Names one version of a dataset or of a model.
    VersionId, "version";
    /// Names one execution of a pipeline.
    RunId, "run";
    /// Names a registered model over all its versions.
    ModelId, "model";
    /// Names a deployment over all model versions it has served.
    DeploymentId, "deployment";
    /// Names one piece of work with progress and cancel.
    JobId, "job";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_anything_else_is_refused() {
        let id = RunId::new();
        assert_eq!(id.as_str().parse::<RunId>(), Ok(id.clone()));
        assert_ne!(id, RunId::new());
        for wrong in ["", "../../etc/passwd", &"g".repeat(32), &"A".repeat(32), &"a".repeat(33)] {
            assert!(wrong.parse::<RunId>().is_err(), "{wrong}");
            assert!(serde_json::from_value::<RunId>(serde_json::json!(wrong)).is_err());
        }
    }
}
