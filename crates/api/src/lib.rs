//! The daemon's loopback HTTP: commands, events and the screens themselves, behind one bearer
//! token and checks of Host and Origin. It holds no logic of its own: a command is handed to the
//! engine, an event is passed on.
//!
//! | route | answers |
//! |---|---|
//! | `GET /health` | name, version and instance; the only route without a token |
//! | `POST /rpc/<noun.verb>` | the command's reply, or `{code, message, hint, causes}` |
//! | `GET /events` | server-sent events `changed`, `job`, `points` |
//! | `POST /shutdown` | stops the daemon |
//! | `GET /…` | the screens, for a browser instead of the window |

mod guard;
mod routes;
mod screens;
mod server;

pub use server::{Daemon, Options, serve};
