//! Pipeline file, step kinds, graph, cache keys, execution, project git.
