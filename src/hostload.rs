//! Whether the prober's own host was too busy for its times to be trusted.

use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Busier than this over a whole cycle, and a login time may be the host's rather than the gateway's.
pub const BUSY_PCT: f32 = 90.0;

/// The host's load from now on.
#[derive(Debug)]
pub struct HostLoad {
    system: Option<System>,
}

impl HostLoad {
    /// Begins measuring. Where the system does not tell, nothing is measured.
    pub fn begin() -> Self {
        let wanted = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing().with_usage());
        Self { system: System::new_with_specifics(wanted).ok() }
    }

    /// How busy all processors together were since [`HostLoad::begin`], in percent (0 to 100).
    pub fn busy_pct(mut self) -> Option<f32> {
        let system = self.system.as_mut()?;
        system.refresh_cpu_usage();
        Some(system.global_cpu_usage())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_between_idle_and_wholly_busy() {
        let busy = HostLoad::begin().busy_pct().unwrap();
        assert!((0.0..=100.0).contains(&busy), "{busy}");
    }
}
