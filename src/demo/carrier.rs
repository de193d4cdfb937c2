//! The simulated client: Connect Tunnel's dialogue, with files for a tunnel.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::World;
use super::world::{FINGERPRINT, PASSWORD};
use crate::simulator::{
    Attempt, Carrier, Certificate, CertificateOf, Console, Invocation, Scenario, SecondFactor, WRONG_CREDENTIALS,
    converse,
};

/// Carries no traffic, but brings the simulated host's tunnel up and down.
#[derive(Debug)]
pub struct FileCarrier {
    world: World,
}

impl Carrier for FileCarrier {
    fn contact(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn certificate(&mut self, _: CertificateOf) -> Certificate {
        Certificate { subject: "CN=vpn.example.com".into(), sha1: FINGERPRINT.into() }
    }

    fn takes_code(&mut self, factor: &SecondFactor, code: &str) -> bool {
        factor.takes(code, 0)
    }

    fn connect(&mut self, _: &str, password: &str) -> Attempt {
        if password != PASSWORD {
            return Attempt::Rejected(WRONG_CREDENTIALS.into());
        }
        match self.world.connect() {
            Ok(()) => Attempt::Connected,
            Err(e) => Attempt::Unreachable(e.to_string()),
        }
    }

    fn disconnect(&mut self) {
        // What stays is for the prober's cleanup to find.
        let _ = self.world.disconnect();
    }

    fn alive(&mut self) -> bool {
        self.world.is_connected()
    }
}

/// Plays the client on standard input and output; gives its exit status.
pub fn play_client(world: World, scenario: &str) -> u8 {
    let Ok(scenario) = Scenario::from_yaml(scenario) else { return 2 };
    let console = Console::new(io::stdin(), io::stdout()).with_echo_switch(set_echo);
    let invocation = Invocation { server: "vpn.example.com".into(), ..Invocation::default() };
    converse(console, &scenario, &invocation, &mut FileCarrier { world }).status()
}

fn set_echo(on: bool) -> io::Result<()> {
    let mut modes = tcgetattr(io::stdin())?;
    modes.local_modes.set(LocalModes::ECHO, on);
    tcsetattr(io::stdin(), OptionalActions::Drain, &modes)?;
    Ok(())
}
