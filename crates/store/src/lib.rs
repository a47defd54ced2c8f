//! The workspace on disk: index database, object store, audit log.
