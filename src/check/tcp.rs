//! A check by `tcp`: somebody takes the connection.

use tokio::time::Instant;

use super::Inside;
use super::inside::{Measured, Trouble};

/// Runs it.
pub(super) async fn run(
    inside: &Inside<'_>,
    host: &str,
    port: u16,
    deadline: Instant,
    measured: &mut Measured,
) -> Result<String, Trouble> {
    let (_, _, began) = inside.connect(host, port, deadline).await?;
    measured.took = Some(began.elapsed());
    Ok("connected".to_owned())
}
