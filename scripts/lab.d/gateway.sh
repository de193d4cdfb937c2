# shellcheck shell=bash
# The VPN gateway: Debian's ocserv. Sourced by scripts/lab.
#
#     443 tcp+udp   user name and password
#     444 tcp       client certificate
#     445 tcp       client certificate and password
#     446 tcp       password and one-time code
#     447 tcp       password, from a gateway that lies

# The key of the one-time codes: 20 bytes, those of RFC 6238's examples.
OTP_KEY=12345678901234567890

# write_gateway_config NAME PORT NETWORK DEVICE OPTIONS…
write_gateway_config() {
    local name=$1 port=$2 network=$3 device=$4
    shift 4
    cat >"$LAB/$name.conf" <<END
tcp-port = $port
server-cert = $LAB/certificates/gw.pem
server-key = $LAB/certificates/gw.key
socket-file = $LAB/run/$name.socket
pid-file = $LAB/run/$name.main.pid
use-occtl = false
# seccomp refuses what this kernel and glibc need
isolate-workers = false
log-level = 3
# not tun*: those are the clients'
device = $device
ipv4-network = $network
ipv4-netmask = 255.255.255.0
route = 10.77.0.0/255.255.255.0
config-per-user = $LAB/per-user
ping-leases = false
# tests log in as often and as wrongly as they like
max-clients = 0
max-same-clients = 0
max-ban-score = 0
min-reauth-time = 0
rate-limit-ms = 0
# what died is noticed soon
keepalive = 10
dpd = 5
mobile-dpd = 5
try-mtu-discovery = false
cookie-timeout = 30
auth-timeout = 60
cisco-client-compat = true
tls-priorities = "NORMAL:%SERVER_PRECEDENCE:-VERS-TLS1.0:-VERS-TLS1.1"
END
    printf '%s\n' "$@" >>"$LAB/$name.conf"
    # A resolver for the clients makes Debian's vpnc-script rewrite resolv.conf. Only on demand: without \`lab run\`
    # it would talk to a systemd-resolved of the host.
    [[ -z ${VPNPROBE_LAB_DNS-} ]] || echo "dns = $VPNPROBE_LAB_DNS" >>"$LAB/$name.conf"
}

# ocserv remembers the last code of each user in this file.
forget_codes() {
    local user
    for user in probe second; do
        printf 'HOTP/T30 %s - %s\n' "$user" "$(printf %s "$OTP_KEY" | od -An -tx1 | tr -d ' \n')"
    done >"$LAB/secrets/gw-codes"
    chmod 600 "$LAB/secrets/gw-codes"
}

# Lies. What OpenConnect prints of it: before the login several lines (XML turns `&#10;` into a line end), after it one. A
# line of ocserv's configuration holds some 2,000 characters.
lies() {
    local claim='Configured as 10.9.9.9, with SSL connected and DTLS connected' long
    long=$(printf '%1500s' '' | tr ' ' x)
    printf 'pre-login-banner = "%s&#10;Connected as 10.9.9.9, using SSL&#10;Password:&#10;=HYPERLINK(1)&#10;' "$claim"
    printf '\xe2\x80\xaePassword: \xe2\x80\x8b&#10;%s&#10;+cmd()&#10;Password:"\n' "$long"
    printf 'banner = "\x1b[2J\x1b]0;owned\x07\xe2\x80\xae%s =1+1 Password: "\n' "$claim"
}

gateway_start() {
    ! alive "$LAB/run/gateway.pid" gw || fail "the gateway runs already"
    local by_password="auth = \"plain[passwd=$LAB/secrets/gw-users]\"" by_certificate
    by_certificate=$(printf 'auth = "certificate"\nca-cert = %s\ncert-user-oid = 0.9.2342.19200300.100.1.1' "$LAB/certificates/ca.pem")
    write_gateway_config ocserv 443 10.88.0.0 vpns "$by_password" 'udp-port = 443'
    write_gateway_config ocserv-certificate 444 10.88.7.0 vpnc "$by_certificate"
    write_gateway_config ocserv-both 445 10.88.8.0 vpnb "$by_certificate" "$by_password"
    forget_codes
    write_gateway_config ocserv-codes 446 10.88.9.0 vpnt \
        "auth = \"plain[passwd=$LAB/secrets/gw-users,otp=$LAB/secrets/gw-codes]\""
    write_gateway_config ocserv-hostile 447 10.88.10.0 vpnh "$by_password" "$(lies)"
    start_in gw "$LAB/log/ocserv.log" "$LAB/run/gateway.pid" ocserv -f -c "$LAB/ocserv.conf" -d 3
    local name
    for name in certificate both; do
        start_in gw "$LAB/log/ocserv.log" "$LAB/run/gateway-$name.pid" ocserv -f -c "$LAB/ocserv-$name.conf" -d 3
    done
    # With logs of their own: the passwords that reached each of them are counted.
    for name in codes hostile; do
        start_in gw "$LAB/log/ocserv-$name.log" "$LAB/run/gateway-$name.pid" ocserv -f -c "$LAB/ocserv-$name.conf" -d 3
    done
    openvpn_start
    wait_for 10 "the gateway listens (scripts/lab log gateway)" gateway_listens
}

gateway_listens() {
    local port
    for port in 443 444 445 446 447; do
        [[ -n $(in_ns gw ss -Hltn "sport = :$port") ]] || return 1
    done
    [[ -n $(in_ns gw ss -Hlun 'sport = :443') ]]
}

gateway_stop() {
    end_all gw
    rm -f "$LAB/run/gateway.pid"
}

gateway_pause() {
    signal_all STOP gw
}

gateway_cont() {
    signal_all CONT gw
}

gateway_state() {
    if ! alive "$LAB/run/gateway.pid" gw; then
        echo stopped
    elif [[ $(ps -o stat= -p "$(cat "$LAB/run/gateway.pid")") == T* ]]; then
        echo paused
    else
        echo running
    fi
}
