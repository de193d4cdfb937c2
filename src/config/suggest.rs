//! "Did you mean …?"

/// The known name that is nearest to `name`, where one is near enough to be a slip.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|best| format!("did you mean `{best}`?"))
}

/// One edit in three characters still counts as a slip; `-` and `_` and the letters' case are no difference at all.
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer names are no slips of ours, and the distance costs the product of both lengths.
    const LONGEST: usize = 64;
    let length = name.chars().take(LONGEST + 1).count();
    if length > LONGEST {
        return None;
    }
    let wanted = folded(name);
    let ranked =
        known.into_iter().map(|candidate| (strsim::damerau_levenshtein(&wanted, &folded(candidate)), candidate));
    ranked
        .filter(|(distance, _)| *distance <= (length / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let known = ["timeout", "vpn_gw", "internal_ip", "to"];
        for (name, expected) in [
            ("timout", Some("timeout")),
            ("Timeout", Some("timeout")),
            ("vpn-gw", Some("vpn_gw")),
            ("internl_ip", Some("internal_ip")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }

    #[test]
    fn an_absurdly_long_name_costs_nothing() {
        assert_eq!(did_you_mean(&"x".repeat(1_000_000), ["timeout"]), None);
    }
}
