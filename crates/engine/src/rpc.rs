//! The one list of commands: each is a name, a plain function, a request and a reply. The list
//! makes the dispatcher, the topics a query depends on, and `ui/src/host/bindings.ts`.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use ts_rs::{Config, TS, TypeVisitor};

/// The wire form of every failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Failure {
    /// What kind of failure it is, for a program to act on.
    #[ts(type = "Code")]
    pub code: base::Code,
    /// What could not be done and to what.
    pub message: String,
    /// What the user can do now.
    pub hint: Option<String>,
    /// What lies behind it, outermost first.
    pub causes: Vec<String>,
}

impl From<base::Error> for Failure {
    fn from(error: base::Error) -> Self {
        Self { code: error.code, message: error.message, hint: error.hint, causes: error.causes }
    }
}

impl From<Failure> for base::Error {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code, message: failure.message, hint: failure.hint, causes: failure.causes }
    }
}

/// A part of the workspace that queries depend on and writes make stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Projects and their git state.
    Projects,
    /// Datasets and versions.
    Datasets,
    /// Pipeline files and drafts.
    Pipelines,
    /// Runs, step runs, metrics.
    Runs,
    /// Models, versions, aliases.
    Models,
    /// Deployments and revisions.
    Deployments,
    /// Monitors and their rules.
    Monitors,
    /// Alerts.
    Alerts,
    /// Jobs.
    Jobs,
    /// Settings.
    Settings,
    /// The audit log.
    Audit,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 11] = [
        Self::Projects,
        Self::Datasets,
        Self::Pipelines,
        Self::Runs,
        Self::Models,
        Self::Deployments,
        Self::Monitors,
        Self::Alerts,
        Self::Jobs,
        Self::Settings,
        Self::Audit,
    ];
}

impl From<store::Topic> for Topic {
    fn from(topic: store::Topic) -> Self {
        match topic {
            store::Topic::Projects => Self::Projects,
            store::Topic::Datasets => Self::Datasets,
            store::Topic::Pipelines => Self::Pipelines,
            store::Topic::Runs => Self::Runs,
            store::Topic::Models => Self::Models,
            store::Topic::Deployments => Self::Deployments,
            store::Topic::Monitors => Self::Monitors,
            store::Topic::Alerts => Self::Alerts,
            store::Topic::Jobs => Self::Jobs,
            store::Topic::Settings => Self::Settings,
            store::Topic::Audit => Self::Audit,
        }
    }
}

/// What the list says of one command.
#[derive(Debug, Clone, Copy)]
pub struct CommandInfo {
    /// `noun.verb`.
    pub name: &'static str,
    /// True if it only reads.
    pub is_query: bool,
    /// What makes its answer stale.
    pub topics: &'static [Topic],
}

/// Collects each named type reachable from the list exactly once, sorted by name.
#[derive(Default)]
pub struct Collector {
    config: Config,
    declarations: BTreeMap<String, String>,
    visited: HashSet<TypeId>,
}

impl Collector {
    /// An empty collector; whole numbers of any width are `number` on the wire.
    pub fn new() -> Self {
        Self { config: Config::new().with_large_int("number"), ..Self::default() }
    }

    /// The TypeScript name of `T`; its declaration and all it needs are collected.
    pub fn name_of<T: TS + 'static + ?Sized>(&mut self) -> String {
        self.visit::<T>();
        T::name(&self.config)
    }

    /// Every declaration collected, in the order of names.
    pub fn into_declarations(self) -> Vec<String> {
        self.declarations.into_values().collect()
    }
}

impl TypeVisitor for Collector {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Types without a name of their own, such as lists of themselves, can be reached in a circle.
        if !self.visited.insert(TypeId::of::<T>()) {
            return;
        }
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}\n", T::decl(&self.config));
            self.declarations.insert(T::ident(&self.config), declaration);
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

/// The TypeScript union of all error codes.
pub fn code_declaration() -> String {
    let names: Vec<String> =
        base::Code::ALL.iter().filter_map(|code| serde_json::to_string(code).ok()).collect();
    format!("/**\n * What kind of failure it is.\n */\nexport type Code = {};\n", names.join(" | "))
}

/// Makes `COMMANDS`, `dispatch` and `typescript` from the list of commands.
#[macro_export]
macro_rules! commands {
    ($ctx:ty; $( $kind:ident $name:literal $path:path : $req:ty => $res:ty $([$($topic:ident),*])? ; )*) => {
        /// Every command there is.
        pub const COMMANDS: &[$crate::rpc::CommandInfo] = &[ $( $crate::rpc::CommandInfo {
            name: $name,
            is_query: $crate::is_query!($kind),
            topics: &[$($($crate::rpc::Topic::$topic),*)?],
        }, )* ];

        /// Runs the command `name` with a JSON payload.
        ///
        /// # Errors
        /// An unknown name, a payload that does not fit, and whatever the command itself refuses.
        pub fn dispatch(ctx: &$ctx, name: &str, payload: serde_json::Value) -> base::Result<serde_json::Value> {
            match name {
                $( $name => {
                    let request: $req = serde_json::from_value(payload)
                        .map_err(|e| base::Error::invalid(format!("`{}` cannot read its request", $name)).because(e))?;
                    let reply: $res = $path(ctx, request)?;
                    serde_json::to_value(reply).map_err(|e| base::Error::internal(format!("`{}` cannot write its reply", $name)).because(e))
                } )*
                _ => Err(base::Error::not_found(format!("there is no command `{}`", name.escape_debug()))),
            }
        }

        /// The text of `ui/src/host/bindings.ts`.
        pub fn typescript() -> String {
            use std::fmt::Write as _;
            let mut collector = $crate::rpc::Collector::new();
            let mut map = String::from("export type Commands = {\n");
            $( writeln!(map, "  {:?}: [{}, {}];", $name, collector.name_of::<$req>(), collector.name_of::<$res>())
                .expect("writing to a string does not fail"); )*
            map.push_str("};\n\nexport const queryTopics: { [K in keyof Commands]?: Topic[] } = {\n");
            for info in COMMANDS.iter().filter(|info| info.is_query) {
                let topics = serde_json::to_string(info.topics).expect("topics are plain names");
                writeln!(map, "  {:?}: {topics},", info.name).expect("writing to a string does not fail");
            }
            map.push_str("};\n");
            collector.name_of::<$crate::rpc::Failure>();
            collector.name_of::<$crate::rpc::Topic>();
            collector.name_of::<$crate::events::Event>();
            format!(
                "// Generated from the list of commands by `cargo test -p engine`. Do not edit.\n\n{}\n{}\n{map}",
                $crate::rpc::code_declaration(),
                collector.into_declarations().join("\n"),
            )
        }
    };
}

/// True for `query`, false for `action`.
#[macro_export]
macro_rules! is_query {
    (query) => {
        true
    };
    (action) => {
        false
    };
}
