//! What this version says about the parts of the public interface that it does not do yet.

/// The end of a fault's text.
pub(super) const fn unsupported() -> &'static str {
    concat!("is not supported by this version (", env!("CARGO_PKG_VERSION"), ")")
}
