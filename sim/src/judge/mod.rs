//! Judging a finished run from the outside: the history of the clients.
