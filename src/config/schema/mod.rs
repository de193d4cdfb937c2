//! The configuration as JSON Schema (draft 7, which editors understand best), made from the loader's own keys.
//!
//! A key is described by one line in `keys`. What the schema refuses, the loader refuses too: an editor raises no false
//! alarm. The other way round the schema is the milder one: what takes a look at several keys, or at the meaning of a
//! text, is left to `check-config`.

mod draft;
mod keys;
mod shape;

pub use draft::schema;

#[cfg(test)]
#[cfg(test)]
pub(super) use keys::KEYS;
