//! The larger sample, which is taken at set-up because it is too large for the repository: prices of
//! 53,940 diamonds, as `plotnine` (MIT) ships them.

use std::path::{Path, PathBuf};

use crate::process::{command, output, private_folder, run};
use crate::{Result, programs, setup};

const PACKAGE: &str = "plotnine==0.15.9";
const MEMBER: &str = "plotnine/data/diamonds.csv";
const DATASET: &str = "diamonds";
/// A wheel is a ZIP archive; Python's library unpacks one member of it.
const UNPACK: &str = "import sys, zipfile, pathlib
pathlib.Path(sys.argv[3]).write_bytes(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";

/// Brings the diamonds into the sample project and trains on them; at once the second time. Without
/// a network the sample project goes without.
pub fn add_diamonds(workspace: &Path) -> Result<()> {
    match diamonds() {
        Ok(file) => train_on(workspace, &file),
        Err(reason) => {
            eprintln!("xtask: no larger sample: {}", reason.lines().next().unwrap_or_default());
            Ok(())
        }
    }
}

fn train_on(workspace: &Path, file: &Path) -> Result<()> {
    let fettle = |words: &[&str]| {
        let mut call = command(programs::fettle(), &["--quiet", "--project", "demo", "--workspace"]);
        call.arg(workspace).args(words);
        programs::know_each_other(&mut call);
        call
    };
    let file = file.to_str().ok_or("the path of the larger sample is not Unicode")?;
    run(fettle(&["dataset", "import", file, "--target", "price"]))?;
    if output(fettle(&["--json", "call", "pipeline.show", r#"{"pipeline":"diamonds"}"#])).is_err() {
        run(fettle(&["pipeline", "new", DATASET]))?;
    }
    run(fettle(&["pipeline", "run", DATASET]))
}

fn diamonds() -> Result<PathBuf> {
    let folder = private_folder().join("samples");
    let file = folder.join("diamonds.csv");
    if file.exists() {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let python = setup::python()?;
    let mut download = command(&python, &["-m", "pip", "download", "--quiet", "--disable-pip-version-check"]);
    download.args(["--no-deps", "--only-binary", ":all:", "--dest"]).arg(&folder).arg(PACKAGE);
    output(download)?;
    let wheel = std::fs::read_dir(&folder)
        .map_err(|error| format!("`{}`: {error}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or("pip downloaded no wheel")?;
    let mut unpack = command(&python, &["-c", UNPACK]);
    unpack.arg(wheel).arg(MEMBER).arg(&file);
    output(unpack)?;
    Ok(file)
}
