//! `fettle-serve` as its clients see it: the real program, over real connections.

mod guard;
mod hostile;
mod lifecycle;
mod mlflow;
mod models;
mod oip;
mod server;
