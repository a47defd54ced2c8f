//! Loads a model package and predicts: small and static, no database, no data engine.
