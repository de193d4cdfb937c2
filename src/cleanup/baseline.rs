//! What stood on the host before a login.

use std::io;

use serde::{Deserialize, Serialize};

use super::{ResolvConf, ResolvState};
use crate::net::{NetContext, NetSnapshot};

/// What stood on the host before a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Interfaces and routes.
    pub network: NetSnapshot,
    /// resolv.conf.
    pub resolv_conf: ResolvState,
}

impl Baseline {
    /// The host as it is now.
    pub fn take(net: &dyn NetContext, resolv_conf: &ResolvConf) -> io::Result<Self> {
        Ok(Self { network: net.snapshot()?, resolv_conf: resolv_conf.read()? })
    }
}
