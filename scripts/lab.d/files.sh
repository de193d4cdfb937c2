# shellcheck shell=bash
# Certificates, users, the ready-made configuration. Sourced by scripts/lab.

# Lines of a template for a certificate that is valid, and for one that was.
# Longer than anybody is told of a certificate that runs out.
VALID='expiration_days = 90'
EXPIRED=$'activation_date = "2020-01-01 00:00:00"\nexpiration_date = "2020-02-01 00:00:00"'

make_certificates() {
    local at=$LAB/certificates
    new_authority ca "vpnprobe lab CA"
    new_certificate gw 10.78.0.1
    new_certificate mail 10.79.0.1
    new_certificate inside 10.77.0.1
    new_certificate inside-soon 10.77.0.1 'expiration_days = 3'
    new_certificate inside-expired 10.77.0.1 "$EXPIRED"
    new_certificate expired 10.78.0.1 "$EXPIRED"
    new_client_certificate client ca
    new_client_certificate client-expired ca "$EXPIRED"
    new_authority stranger-ca "another CA"
    new_client_certificate stranger stranger-ca
    lock_key client lab-key-secret
    write_fingerprints gw "$at/gw.pem"
    write_fingerprints ca "$at/ca.pem"
}

new_key() {
    (
        umask 077
        quietly certtool --generate-privkey --ecdsa --curve=secp256r1 --outfile "$1"
    )
}

# new_authority NAME COMMON-NAME
new_authority() {
    local at=$LAB/certificates
    new_key "$at/$1.key"
    printf 'cn = "%s"\nca\ncert_signing_key\n%s\n' "$2" "$VALID" >"$at/$1.template"
    quietly certtool --generate-self-signed --load-privkey "$at/$1.key" --template "$at/$1.template" --outfile "$at/$1.pem"
}

# new_certificate NAME ADDRESS [VALIDITY]: for NAME.lab, by the lab's own authority.
new_certificate() {
    local at=$LAB/certificates
    new_key "$at/$1.key"
    cat >"$at/$1.template" <<END
cn = "$1.lab"
dns_name = "$1.lab"
ip_address = "$2"
signing_key
tls_www_server
${3-$VALID}
END
    sign "$1" ca
}

# new_client_certificate NAME AUTHORITY [VALIDITY]: of the user `probe`.
new_client_certificate() {
    local at=$LAB/certificates
    new_key "$at/$1.key"
    printf 'cn = "probe"\nuid = "probe"\nsigning_key\ntls_www_client\n%s\n' "${3-$VALID}" >"$at/$1.template"
    sign "$1" "$2"
}

# sign NAME AUTHORITY
sign() {
    local at=$LAB/certificates
    quietly certtool --generate-certificate --load-privkey "$at/$1.key" --load-ca-certificate "$at/$2.pem" \
        --load-ca-privkey "$at/$2.key" --template "$at/$1.template" --outfile "$at/$1.pem"
}

# lock_key NAME PASSPHRASE: a copy of the key, NAME-locked.key, that opens with a passphrase only.
lock_key() {
    local at=$LAB/certificates
    (
        umask 077
        quietly certtool --to-p8 --load-privkey "$at/$1.key" --password "$2" --pkcs-cipher aes-256 --outfile "$at/$1-locked.key"
    )
    write_secret key.pw "$2"
}

# write_fingerprints NAME CERTIFICATE: as clients print them.
write_fingerprints() {
    local at=$LAB/fingerprints hash
    for hash in sha1 sha256; do
        certtool --fingerprint --hash "$hash" --infile "$2" | tr a-f A-F | sed 's/../&:/g; s/:$//' >"$at/$1.$hash"
    done
    certtool --certificate-info --infile "$2" | grep -o 'pin-sha256:.*' >"$at/$1.pin-sha256"
}

quietly() {
    local said
    said=$("$@" 2>&1) || {
        say "$said"
        return 1
    }
}

make_users() {
    write_secret gw-users ''
    new_user probe lab-secret-1
    new_user second lab-secret-2
    # Gets a resolver from the gateway: a client rewrites resolv.conf with it.
    new_user resolving lab-secret-3
    mkdir "$LAB/per-user"
    echo "dns = 10.77.0.1" >"$LAB/per-user/resolving"
    write_secret wrong.pw not-the-password
    write_secret mailer.pw lab-mail-secret
    # As they are handed out: base32 of the key, and of another one.
    write_secret probe.otp 'gezd gnbv gy3t qojq gezd gnbv gy3t qojq'
    write_secret wrong.otp 'MFRG GZDF MZTW Q2LK NNWG 23TP OBYX E43U'
}

new_user() {
    write_secret "$1.pw" "$2"
    printf '%s\n%s\n' "$2" "$2" | quietly ocpasswd -c "$LAB/secrets/gw-users" "$1"
}

# write_secret FILE TEXT
write_secret() {
    (
        umask 077
        printf '%s' "${2:+$2$'\n'}" >"$LAB/secrets/$1"
    )
}

make_config() {
    cat >"$LAB/config.yml" <<END
# Written by scripts/lab up. Everything lies in $LAB.
frequency: 15
prober: lab
state_dir: $LAB/state
logging:
  dir: $LAB/results
  email: { server: 10.79.0.1, from: prober@prober.lab, to: [operator@mail.lab] }
clients:
  lab-startct:
    extends: startct
    command: $LAB/bin/startct
sites:
  startct-good:
    vpn_gw: 10.78.0.1
    external_ip: 10.78.0.1
    internal_ip: 10.77.0.1
    username: probe
    password_file: $LAB/secrets/probe.pw
    timeout: 20
    client: lab-startct
    fingerprint: ["SHA1:$(cat "$LAB/fingerprints/gw.sha1")"]
  openconnect-good:
    vpn_gw: 10.78.0.1
    external_ip: 10.78.0.1
    internal_ip: 10.77.0.1
    username: probe
    password_file: $LAB/secrets/probe.pw
    timeout: 20
    client: openconnect
    fingerprint: ["$(cat "$LAB/fingerprints/gw.pin-sha256")"]
  wrong-password:                 # an account of its own: a rejected one rests
    vpn_gw: 10.78.0.1
    external_ip: 10.78.0.1
    internal_ip: 10.77.0.1
    username: second
    password_file: $LAB/secrets/wrong.pw
    timeout: 20
    client: lab-startct
    fingerprint: ["SHA1:$(cat "$LAB/fingerprints/gw.sha1")"]
  dead-gateway:                   # nobody has this address
    vpn_gw: 10.78.0.99
    internal_ip: 10.77.0.1
    username: probe
    password_file: $LAB/secrets/probe.pw
    timeout: 6
    client: openconnect
    fingerprint: ["$(cat "$LAB/fingerprints/gw.pin-sha256")"]
  inside-silent:                  # the gateway lets one in, the host behind it says nothing
    vpn_gw: 10.78.0.1
    external_ip: 10.78.0.1
    internal_ip: 10.77.0.66
    username: probe
    password_file: $LAB/secrets/probe.pw
    timeout: 20
    client: lab-startct
    fingerprint: ["SHA1:$(cat "$LAB/fingerprints/gw.sha1")"]
END
}
