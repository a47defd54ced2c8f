//! `size`: the package is small enough.

use std::path::Path;

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model_tests::kind::{Context, Declaration, Finding, Kind, Misfit};

/// The kind `size`.
pub(in crate::model_tests) struct Size;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The most megabytes of all files.
    max_megabytes: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { max_megabytes: 100.0 }
    }
}

impl Kind for Size {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "size",
            title: "Size",
            summary: "The package is small enough.",
            doc: "All files of the package together; a megabyte has 1,000,000 bytes.",
            example: "kind = \"size\"\nmax_megabytes = 50",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.max_megabytes > 0.0 {
            return Ok(());
        }
        let error = Error::invalid(format!("`max_megabytes` cannot be {}", params.max_megabytes));
        Err(Misfit::param("max_megabytes", error.hint("write a number above 0")))
    }

    fn rule(&self, params: &Params) -> String {
        format!("the package has at most {} MB", base::number(params.max_megabytes, 4))
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let size = size_of(context.folder)?;
        Ok(Finding::plain(size as f64 <= params.max_megabytes * 1e6, format!("it has {}", base::bytes(size))))
    }
}

fn size_of(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, &e))? {
        let path = entry.map_err(|e| Error::io("list", folder, &e))?.path();
        let found = std::fs::metadata(&path).map_err(|e| Error::io("read", &path, &e))?;
        size += if found.is_dir() { size_of(&path)? } else { found.len() };
    }
    Ok(size)
}
