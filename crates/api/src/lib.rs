//! The daemon's loopback HTTP: commands, events and the screens themselves, behind one bearer
//! token and checks of Host and Origin. It holds no logic of its own: a command is handed to the
//! engine, an event is passed on.
//!
//! | route | answers |
//! |---|---|
//! | `GET /health` | name, version and instance; needs no token |
//! | `POST /rpc/<noun.verb>` | the command's reply, or `{code, message, hint, causes}` |
//! | `GET /events` | server-sent events `changed`, `job`, `points` |
//! | `POST /shutdown` | stops the daemon |
//! | `/api/…`, `/ajax-api/…` | MLflow's REST API, for scripts that log; a token of its own opens it |
//! | `GET /version` | the version of that API |
//! | `GET /…` | the screens, for a browser instead of the window |

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod guard;
mod mlflow;
mod routes;
mod screens;
mod server;

pub use server::{Daemon, Options, serve};
