//! Import, schema, profile, query and drift statistics of tables.
