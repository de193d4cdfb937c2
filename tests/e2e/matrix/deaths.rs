//! The client ends when it should not, with a word or without.

use super::{Case, cases, down, unknown, up};

/// It spoke of no gateway yet: that is the prober's own trouble.
const NO_WORD_YET: Case = unknown("login", "client-exited").without_password();
const IN_THE_DIALOGUE: Case = down("login", "disconnected", "tunnel").without_password();
const BEHIND_ITS_TUNNEL: Case = down("login", "disconnected", "tunnel").leaves("tunnel, resolv.conf");
const IN_USE: Case = down("internal", "disconnected", "tunnel").with(&[("ping", "{ count: 40, interval: 50ms }")]);

cases! {
    dies_at_the_start: "dies without a word", "before its first word",
        "faults: [ { at: start, do: { die: {} } } ]" => NO_WORD_YET;
    dies_at_the_start_with_a_word: "dies with a word", "before its first word",
        "faults: [ { at: start, do: { die: { say: 'Segmentation fault', status: 139 } } } ]" => NO_WORD_YET;
    dies_at_the_first_contact: "dies without a word", "before the gateway answers",
        "faults: [ { at: contact, do: { die: {} } } ]" => NO_WORD_YET;
    dies_at_the_first_contact_with_a_word: "dies with a known word", "before the gateway answers",
        "faults: [ { at: contact, do: { die: { say: 'VPN Connection timed out.' } } } ]"
        => down("login", "connect-timeout", "gateway").without_password();
    dies_at_the_certificate: "dies without a word", "before the certificate question",
        "faults: [ { at: certificate, do: { die: {} } } ]" => NO_WORD_YET;
    dies_at_the_certificate_with_a_word: "dies with a word", "before the certificate question",
        "faults: [ { at: certificate, do: { die: { say: 'java.lang.NullPointerException' } } } ]" => NO_WORD_YET;
    dies_after_the_certificate: "dies without a word", "before the menu of the certificate",
        "faults: [ { at: menu, do: { die: { status: 0 } } } ]" => IN_THE_DIALOGUE;
    dies_after_the_certificate_with_a_word: "dies with a word", "before the menu of the certificate",
        "faults: [ { at: menu, do: { die: { say: 'java.lang.NullPointerException' } } } ]" => IN_THE_DIALOGUE;
    dies_at_the_user_name: "dies without a word", "before `Username:`",
        "faults: [ { at: username, do: { die: {} } } ]" => IN_THE_DIALOGUE;
    dies_at_the_user_name_with_a_word: "dies with a word", "before `Username:`",
        "faults: [ { at: username, do: { die: { say: 'java.lang.NullPointerException' } } } ]" => IN_THE_DIALOGUE;
    dies_at_the_password: "dies without a word", "before `Password:`",
        "faults: [ { at: password, do: { die: {} } } ]" => IN_THE_DIALOGUE;
    dies_at_the_password_with_a_word: "dies with a word", "before `Password:`",
        "faults: [ { at: password, do: { die: { say: 'java.lang.NullPointerException' } } } ]" => IN_THE_DIALOGUE;
    dies_after_the_password: "dies without a word", "before the menu of the credentials",
        "faults: [ { at: menu, time: 2, do: { die: {} } } ]" => IN_THE_DIALOGUE;
    dies_after_the_password_with_a_word: "dies with a word", "before the menu of the credentials",
        "faults: [ { at: menu, time: 2, do: { die: { say: 'java.lang.NullPointerException' } } } ]" => IN_THE_DIALOGUE;
    dies_while_connecting: "dies without a word", "before `Connecting…`",
        "faults: [ { at: connecting, do: { die: {} } } ]" => IN_THE_DIALOGUE;
    dies_while_connecting_with_a_word: "dies with a known word", "before `Connecting…`",
        "faults: [ { at: connecting, do: { die: { say: 'Your account is locked.' } } } ]"
        => down("login", "account-locked", "identity").without_password();
    dies_behind_its_tunnel: "dies without a word", "before `Connected`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: connected, do: { die: { status: 134 } } } ] }"
        => BEHIND_ITS_TUNNEL;
    dies_behind_its_tunnel_with_a_word: "dies with a word", "before `Connected`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: connected, do: { die: { say: 'Aborted', status: 134 } } } ] }"
        => BEHIND_ITS_TUNNEL;
    dies_right_after_its_claim: "dies without a word", "after `Connected`, before there is an address",
        "{ tunnel: no-address, rewrites_resolv_conf: false, faults: [ { at: prompt, do: { die: {} } } ] }"
        => down("login", "disconnected", "tunnel").leaves("tunnel");
    dies_in_use: "dies without a word", "during the ping",
        "{ restores_resolv_conf: false, faults: [ { at: traffic, do: { die: {} } } ] }"
        => IN_USE.leaves("tunnel, resolv.conf");
    dies_in_use_with_a_word: "dies with a word", "during the ping",
        "{ restores_resolv_conf: false, faults: [ { at: traffic, do: { die: { say: 'OutOfMemoryError' } } } ] }"
        => IN_USE.leaves("tunnel, resolv.conf");
    dies_while_leaving: "dies without a word", "after `quit`",
        "{ restores_resolv_conf: false, faults: [ { at: leaving, do: { die: {} } } ] }"
        => up().spends("grace").leaves("tunnel, resolv.conf");
    dies_while_leaving_with_a_word: "dies with a word", "after `quit`",
        "{ restores_resolv_conf: false, faults: [ { at: leaving, do: { die: { say: 'Aborted' } } } ] }"
        => up().spends("grace").leaves("tunnel, resolv.conf");
    dies_after_its_tunnel_is_down: "dies without a word", "before `Disconnected` after `quit`",
        "faults: [ { at: disconnected, do: { die: {} } } ]" => up();
    restarts_at_the_password: "begins anew", "before `Password:`",
        "faults: [ { at: password, do: restart } ]" => up();
    restarts_before_the_user_name: "begins anew", "before `Username:`",
        "faults: [ { at: username, do: restart } ]" => up();
    restarts_in_use: "begins anew", "during the ping",
        "{ restores_resolv_conf: false, faults: [ { at: traffic, do: { say: Disconnected } }, { at: traffic, do: restart } ] }"
        => IN_USE.leaves("client, tunnel, resolv.conf");
    restarts_while_leaving: "begins anew", "after `quit`",
        "{ restores_resolv_conf: false, faults: [ { at: leaving, do: restart } ] }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf");
}
