//! What the client says, by its own text resources.

/// The credentials were rejected.
pub const WRONG_CREDENTIALS: &str = "Authentication failed due to wrong credentials.";
/// The gateway answered no more.
pub const TIMED_OUT: &str = "VPN Connection timed out.";
/// TLS failed.
pub const NO_SECURE_CONNECTION: &str = "Could not establish secure connection with the VPN server.";
/// There is one instance a host.
pub const ANOTHER_INSTANCE: &str =
    "Another instance of this Application is running. Please close the application and then retry.";

pub(super) const USERNAME: &str = "Username:";
pub(super) const PASSWORD: &str = "Password:";
pub(super) const BUTTONS: &str = "  1. OK\n  2. Cancel\n";
pub(super) const MENU: &str = "Enter your choice [1]:";
pub(super) const UNTRUSTED: &str = "The certificate of the VPN server could not be verified.";
pub(super) const ACCEPT: &str = "Do you want to accept this certificate";
pub(super) const CONNECTING: &str = "Connecting…";
pub(super) const CONNECTED: &str = "Connected";
pub(super) const DISCONNECTED: &str = "Disconnected";
/// The prompt of a session that is up.
pub(super) const PROMPT: &str = "CONNECT";
pub(super) const WRONG_CODE: &str = "Authentication failure";

/// Nobody there, or not a gateway of this make.
pub fn unreachable(server: &str) -> String {
    format!("'{server}' is either currently unreachable or is not a valid SonicWall appliance.")
}
