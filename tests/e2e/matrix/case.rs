//! One row of the matrix: what is played, and what must come of it.

/// A fault at one step of the client's way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// Name of its test.
    pub(super) name: &'static str,
    /// What goes wrong, and where, for people.
    pub(super) fault: &'static str,
    pub(super) at: &'static str,
    /// What the stand-in plays.
    pub(super) scenario: &'static str,
    /// Verdict, deciding stage, reason, fault domain.
    pub(super) ends: [&'static str; 4],
    /// What beside a few moments the cycle takes: the words of `observed::spent`.
    pub(super) spends: &'static str,
    /// What the client leaves for the prober to put right: the words of `observed::left`.
    pub(super) leaves: &'static str,
    /// So many passwords may reach the gateway, and not one more.
    pub(super) passwords: usize,
    /// Keys of the site that are not those of all rows.
    pub(super) keys: &'static [(&'static str, &'static str)],
}

/// The site of the row is up all the same.
pub(super) const fn up() -> Case {
    ending(["up", "", "", ""])
}

/// The site is down, by this stage's failure.
pub(super) const fn down(stage: &'static str, reason: &'static str, domain: &'static str) -> Case {
    ending(["down", stage, reason, domain])
}

/// Nobody knows, because of the prober's own trouble.
pub(super) const fn unknown(stage: &'static str, reason: &'static str) -> Case {
    ending(["unknown", stage, reason, "own"])
}

const fn ending(ends: [&'static str; 4]) -> Case {
    Case {
        name: "",
        fault: "",
        at: "",
        scenario: "{}",
        ends,
        spends: "at once",
        leaves: "nothing",
        passwords: 1,
        keys: &[],
    }
}

impl Case {
    pub(super) const fn spends(self, spends: &'static str) -> Self {
        Self { spends, ..self }
    }

    pub(super) const fn leaves(self, leaves: &'static str) -> Self {
        Self { leaves, ..self }
    }

    /// No password may reach the gateway.
    pub(super) const fn without_password(self) -> Self {
        Self { passwords: 0, ..self }
    }

    pub(super) const fn with(self, keys: &'static [(&'static str, &'static str)]) -> Self {
        Self { keys, ..self }
    }
}

/// Declares rows, each `name: "fault", "where", "scenario" => ending;`: a list of them, and a test for each.
macro_rules! cases {
    ($($name:ident: $fault:literal, $at:literal, $scenario:expr => $ending:expr;)+) => {
        pub(in crate::matrix) const ALL: &[$crate::matrix::Case] = &[$($crate::matrix::Case {
            name: stringify!($name),
            fault: $fault,
            at: $at,
            scenario: $scenario,
            ..$ending
        },)+];

        $(
            #[test]
            fn $name() {
                $crate::matrix::observed::play(stringify!($name));
            }
        )+
    };
}

pub(super) use cases;
