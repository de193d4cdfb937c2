# shellcheck shell=bash
# The VPN gateway: Debian's ocserv. Sourced by scripts/lab.

write_gateway_config() {
    cat >"$LAB/ocserv.conf" <<END
auth = "plain[passwd=$LAB/secrets/gw-users]"
tcp-port = 443
udp-port = 443
server-cert = $LAB/certificates/gw.pem
server-key = $LAB/certificates/gw.key
socket-file = $LAB/run/ocserv.socket
pid-file = $LAB/run/ocserv.main.pid
use-occtl = false
# seccomp refuses what this kernel and glibc need
isolate-workers = false
log-level = 3
# not tun*: those are the clients'
device = vpns
ipv4-network = 10.88.0.0
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
    # A resolver for the clients makes Debian's vpnc-script rewrite resolv.conf. Only on demand: without \`lab run\`
    # it would talk to a systemd-resolved of the host.
    [[ -z ${VPNPROBE_LAB_DNS-} ]] || echo "dns = $VPNPROBE_LAB_DNS" >>"$LAB/ocserv.conf"
}

gateway_start() {
    ! alive "$LAB/run/gateway.pid" gw || fail "the gateway runs already"
    write_gateway_config
    start_in gw "$LAB/log/ocserv.log" "$LAB/run/gateway.pid" ocserv -f -c "$LAB/ocserv.conf" -d 3
    wait_for 10 "the gateway listens (scripts/lab log gateway)" gateway_listens
}

gateway_listens() {
    [[ -n $(in_ns gw ss -Hltn 'sport = :443') && -n $(in_ns gw ss -Hlun 'sport = :443') ]]
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
