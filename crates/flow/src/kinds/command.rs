//! `command`: any program as a step.

use std::collections::BTreeMap;
use std::process::Command;

use base::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::foreign::{self, ARTIFACTS, Desk, Folder, Format, Job, METRICS};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Ports, Preset, Shapes, SourceTable,
    TableShape, Work,
};
use crate::outside::{Outside, Place};

/// The kind `command`.
pub struct RunCommand;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What to run: lines for the shell (`sh`, on Windows `cmd`), of which the first that fails ends
    /// the step. With `arguments`: one program, which is started without a shell.
    #[schemars(extend("x-lines" = true, "x-expression" = "shell"))]
    command: String,
    /// The arguments of the program, one a line, taken as they are. Empty for lines of the shell.
    arguments: Vec<String>,
    /// What goes in, one a line: `name` is a table, `name:files`, `name:model`, `name:metrics` something
    /// else; with `?` at its end the step runs without it; `=path` says where the program finds it.
    inputs: Vec<String>,
    /// What must come out, one a line: `name` is a table, `name:files` a file or a folder; `=path` says
    /// where the program writes it. A path alone names itself.
    outputs: Vec<String>,
    /// Files of the project that the program needs; a change to one of them means a rerun. `*`, `**`
    /// and names of folders are understood.
    files: Vec<String>,
    /// Values for the program: as JSON in the file FETTLE_PARAMS, and each as FETTLE_PARAM_<NAME>.
    parameters: Map<String, Value>,
    /// Where it works: a fresh folder with only the files above, or the project's.
    folder: Folder,
    /// As what tables are handed over.
    format: Format,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            command: String::new(),
            arguments: Vec::new(),
            inputs: vec!["table?".to_owned()],
            outputs: vec!["result".to_owned()],
            files: Vec::new(),
            parameters: Map::new(),
            folder: Folder::default(),
            format: Format::default(),
        }
    }
}

impl Params {
    /// The command as it is started.
    fn command(&self, desk: &Desk) -> Result<Command> {
        if !self.arguments.is_empty() {
            let mut command = Command::new(self.command.trim());
            command.args(&self.arguments);
            return Ok(command);
        }
        shell(&self.command, desk)
    }
}

/// Lines for `sh`, which ends at the first that fails.
#[cfg(not(windows))]
fn shell(lines: &str, _desk: &Desk) -> Result<Command> {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", lines]);
    Ok(command)
}

/// Lines for `cmd`, which takes only one on its command line: the others come from a file, each with
/// a check behind it.
#[cfg(windows)]
fn shell(lines: &str, desk: &Desk) -> Result<Command> {
    let checked: Vec<String> = lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("{line}\r\nif errorlevel 1 exit /b %errorlevel%\r\n"))
        .collect();
    let path = desk.root().join("step.cmd");
    std::fs::write(&path, format!("@echo off\r\n{}", checked.concat()))
        .map_err(|e| Error::io("write", &path, &e))?;
    let mut command = Command::new("cmd");
    command.args(["/d", "/c"]).arg(path);
    Ok(command)
}

impl Kind for RunCommand {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "command",
            version: 1,
            title: "Command",
            category: Category::Code,
            summary: "Runs any program over tables and files.",
            doc: "Inputs are files whose paths are in FETTLE_INPUT_<NAME>, outputs are expected at \
                  FETTLE_OUTPUT_<NAME>; parameters are JSON in the file FETTLE_PARAMS. Numbers that are \
                  written as JSON to FETTLE_METRICS become the run's metrics, files in the folder \
                  FETTLE_ARTIFACTS are kept with it, and what the program prints is the step's log. The \
                  result is kept only if the program ends well and every output is there; it is used again \
                  as long as the command, the parameters, the inputs and the declared files stay the same. \
                  What else the program depends on, such as its own version, is not known to Fettle: put it \
                  into `parameters`. See the manual's page on steps of your own.",
            synonyms: &["shell", "script", "program", "bash", "cmd", "exec", "r", "julia", "own code"],
            inputs: const { &[Port::optional("table", PortType::Table, "As `inputs` says.")] },
            outputs: const { &[Port::one("result", PortType::Table, "As `outputs` says."), METRICS, ARTIFACTS] },
            names_inputs: false,
        }
    }

    fn ports(&self, params: &Params) -> Result<Ports, Misfit> {
        foreign::ports(&params.inputs, &params.outputs)
    }

    fn names_ports(&self) -> bool {
        true
    }

    fn presets(&self) -> &'static [Preset] {
        PRESETS
    }

    fn outside(&self, params: &Params, place: &Place) -> Result<Outside> {
        let mut outside = Outside::default();
        outside.add_files(&place.project, &params.files)?;
        Ok(outside)
    }

    fn shape(
        &self,
        params: &Params,
        _inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        if params.command.trim().is_empty() {
            let error = Error::invalid("there is no command").hint("write one, or start from a template");
            return Err(Misfit::param("command", error));
        }
        if params.command.contains('\0') || params.arguments.iter().any(|text| text.contains('\0')) {
            return Err(Misfit::param("command", Error::invalid("a command cannot hold a zero byte")));
        }
        Ok(None)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let (inputs, outputs) = foreign::slots(&params.inputs, &params.outputs)?;
        let job = Job {
            inputs,
            outputs,
            folder: params.folder,
            format: params.format,
            parameters: &params.parameters,
            environment: BTreeMap::new(),
        };
        foreign::run(&job, work, |desk| params.command(desk))
    }
}

/// What people start from.
const PRESETS: &[Preset] = &[
    Preset {
        name: "shell",
        title: "Shell script",
        summary: "Lines for the shell over a table as CSV: here, its rows without doubles.",
        params: r#"
format = "csv"
inputs = ["table"]
outputs = ["result"]
command = '''
head -n 1 "$FETTLE_INPUT_TABLE" > "$FETTLE_OUTPUT_RESULT"
tail -n +2 "$FETTLE_INPUT_TABLE" | sort -u >> "$FETTLE_OUTPUT_RESULT"
rows=$(($(wc -l < "$FETTLE_OUTPUT_RESULT") - 1))
echo "{\"rows\": $rows}" > "$FETTLE_METRICS"
'''
"#,
    },
    Preset {
        name: "r",
        title: "R script",
        summary: "An R script over a table as CSV: here, a linear model and its fitted values.",
        params: r#"
format = "csv"
inputs = ["table"]
outputs = ["fitted"]
parameters = { target = "y" }
command = '''
cat > step.R <<'R'
rows <- read.csv(Sys.getenv("FETTLE_INPUT_TABLE"))
target <- Sys.getenv("FETTLE_PARAM_TARGET")
model <- lm(reformulate(".", response = target), data = rows, na.action = na.exclude)
rows$fitted <- fitted(model)
write.csv(rows, Sys.getenv("FETTLE_OUTPUT_FITTED"), row.names = FALSE, na = "")
cat(sprintf('{"r2": %.10f}', summary(model)$r.squared), file = Sys.getenv("FETTLE_METRICS"))
png(file.path(Sys.getenv("FETTLE_ARTIFACTS"), "residuals.png"))
plot(fitted(model), resid(model))
invisible(dev.off())
R
Rscript --vanilla step.R
'''
"#,
    },
];
