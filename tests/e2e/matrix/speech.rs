//! The client says what it should in another form than expected, or says half of it.

use super::{Case, cases, down, unknown, up};

const HALF: Case = down("login", "login-timeout", "gateway").spends("timeout").leaves("client").without_password();

cases! {
    speaks_with_carriage_returns: "CR and LF", "everywhere", "manners: [crlf]" => up();
    speaks_in_colours: "colours inside words", "everywhere", "manners: [colours]" => up();
    moves_the_cursor: "cursor movements", "everywhere", "manners: [cursor]" => up();
    erases_lines: "erased lines", "everywhere", "manners: [erase-line]" => up();
    sets_a_title: "a window title that says `Connected`, `Disconnected` and `Password:`", "everywhere",
        "manners: [title]" => up();
    // The certificate question is there again without its fingerprint: that is not answered.
    redraws_its_prompts: "prompts redrawn", "everywhere", "manners: [redrawn]"
        => unknown("login", "unexpected-prompt").spends("timeout").leaves("client").without_password();
    redraws_the_password_prompt: "a prompt redrawn", "at `Password:`",
        "faults: [ { at: password, do: { speak: redrawn } } ]" => up();
    speaks_invalid_utf8: "invalid UTF-8", "everywhere", "manners: [invalid-utf8]" => up();
    speaks_byte_by_byte: "byte by byte", "everywhere", "manners: [in-pieces]" => up();
    speaks_in_every_manner: "all of these at once", "everywhere",
        "manners: [invalid-utf8, colours, erase-line, cursor, title, crlf]" => up();

    asks_for_the_password_first: "prompts in another order", "password before user",
        "order: password-first" => up();
    asks_about_the_certificate_last: "prompts in another order", "certificate after the credentials",
        "order: certificate-last" => up();

    half_a_certificate_question: "half a question, for ever", "at the certificate question",
        "faults: [ { at: certificate, do: { speak: unfinished } } ]" => HALF;
    half_a_user_prompt: "half a prompt, for ever", "at `Username:`",
        "faults: [ { at: username, do: { speak: unfinished } } ]" => HALF;
    half_a_password_prompt: "half a prompt, for ever", "at `Password:`",
        "faults: [ { at: password, do: { speak: unfinished } } ]" => HALF;
    half_a_menu: "half a menu, for ever", "at the menu of the credentials",
        "faults: [ { at: menu, time: 2, do: { speak: unfinished } } ]" => HALF;
    connected_without_a_line_end: "a line without end, for ever", "at `Connected`",
        "{ claims_early: false, restores_resolv_conf: false,
           faults: [ { at: connected, do: { speak: no-line-end } }, { at: prompt, do: hang } ] }"
        => Case { passwords: 1, ..HALF }.leaves("client, tunnel, resolv.conf");
    half_of_connected: "half a line, for ever", "at `Connected`",
        "{ claims_early: false, restores_resolv_conf: false,
           faults: [ { at: connected, do: { speak: unfinished } }, { at: prompt, do: hang } ] }"
        => Case { passwords: 1, ..HALF }.leaves("client, tunnel, resolv.conf");
    half_of_disconnected: "half a line", "at `Disconnected` after `quit`",
        "faults: [ { at: disconnected, do: { speak: unfinished } } ]" => up();
}
