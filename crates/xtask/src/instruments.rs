//! What the benches measure with. Nothing in here knows a bench.

pub mod http;
pub mod load;
pub mod processes;
pub mod random;
pub mod server;
pub mod table;
pub mod times;
pub mod watched;
pub mod world;
