# shellcheck shell=bash
# The mail server: aiosmtpd, one file per mail. Sourced by scripts/lab.

mail_start() {
    [[ $(mail_state) != hanging ]] || mail_stop
    start_smtpd serve
}

# Accepts connections and says nothing.
mail_hang() {
    mail_stop
    start_smtpd hang
}

start_smtpd() {
    ! alive "$LAB/run/mail.pid" mail || fail "the mail server runs already"
    echo "$1" >"$LAB/run/mail.mode"
    start_in mail "$LAB/log/smtpd.log" "$LAB/run/mail.pid" /usr/bin/python3 "$REPOSITORY/scripts/lab.d/smtpd.py" \
        --mode "$1" --address 10.79.0.1 --mails "$LAB/mails" --user mailer --password-file "$LAB/secrets/mailer.pw" \
        --certificate "$LAB/certificates/mail.pem" --key "$LAB/certificates/mail.key"
    wait_for 10 "the mail server listens (scripts/lab log mail)" mail_listens
}

mail_listens() {
    local port
    for port in 25 587 465; do
        [[ -n $(in_ns mail ss -Hltn "sport = :$port") ]] || return 1
    done
}

mail_stop() {
    end_all mail
    rm -f "$LAB/run/mail.pid"
}

mail_state() {
    if alive "$LAB/run/mail.pid" mail; then
        sed 's/^serve$/running/; s/^hang$/hanging/' "$LAB/run/mail.mode"
    else
        echo stopped
    fi
}

mail_count() {
    find "$LAB/mails" -name '*.eml' | wc -l
}

mails() {
    local mail
    for mail in "$LAB"/mails/*.eml; do
        [[ -e $mail ]] || return 0
        printf '=== %s\n' "$(basename "$mail")"
        cat "$mail"
        echo
    done
}
