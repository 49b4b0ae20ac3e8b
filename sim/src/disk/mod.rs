//! Files of bytes with a pending and a durable image.
