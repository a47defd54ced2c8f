//! Every command of Fettle behind one API.
