//! The daemon's loopback HTTP: commands and events.
