# shellcheck shell=bash
# Namespaces, links, addresses, routes. Sourced by scripts/lab.

make_namespaces() {
    local name
    for name in "${NAMESPACES[@]}"; do
        make_etc "$name"
        ip netns add "$PREFIX-$name"
        ip -n "$PREFIX-$name" link set lo up
    done
    link prober gw0 10.78.0.2/24 gw out0 10.78.0.1/24
    ip -n "$PREFIX-prober" address add fd78::2/64 dev gw0 nodad
    ip -n "$PREFIX-gw" address add fd78::1/64 dev out0 nodad
    link gw in0 10.77.0.254/24 inside in0 10.77.0.1/24
    link prober mail0 10.79.0.2/24 mail mail0 10.79.0.1/24
    set_routes
    # As systemd has it on every ordinary distribution: any group may ping without privileges.
    in_ns prober sysctl -qw net.ipv4.ping_group_range='0 2147483647'
    make_vpnc_state
}

# link NAME INTERFACE ADDRESS NAME INTERFACE ADDRESS: a cable between two namespaces.
link() {
    ip link add "$2" netns "$PREFIX-$1" type veth peer name "$5" netns "$PREFIX-$4"
    ip -n "$PREFIX-$1" address add "$3" dev "$2"
    ip -n "$PREFIX-$4" address add "$6" dev "$5"
    ip -n "$PREFIX-$1" link set "$2" up
    ip -n "$PREFIX-$4" link set "$5" up
}

set_routes() {
    local outside inside=(10.77.0.66 10.77.0.67 10.77.0.68)
    in_ns gw sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
    ip -n "$PREFIX-inside" route add 10.88.0.0/16 via 10.77.0.254
    ip -n "$PREFIX-gw" route add blackhole "${inside[0]}"
    ip -n "$PREFIX-gw" route add unreachable "${inside[1]}"
    ip -n "$PREFIX-gw" route add prohibit "${inside[2]}"
    # The same behind the gateway's outside, reached without a tunnel.
    outside=10.78.1
    ip -n "$PREFIX-prober" route add "$outside.0/24" via 10.78.0.1
    ip -n "$PREFIX-gw" route add blackhole "$outside.66"
    ip -n "$PREFIX-gw" route add unreachable "$outside.67"
}

# `ip netns exec` binds these over the host's files; whoever rewrites them in place rewrites ours.
make_etc() {
    local etc=/etc/netns/$PREFIX-$1
    mkdir -p "$etc"
    [[ $1 == prober ]] || return 0
    # Nobody answers there, and says so at once.
    printf 'nameserver 10.78.0.1\noptions timeout:1 attempts:1\n' >"$etc/resolv.conf"
    cp "$etc/resolv.conf" "$LAB/resolv.conf.original"
    cat >"$etc/hosts" <<END
127.0.0.1 localhost $(uname -n)
::1 localhost
10.78.0.1 gw.lab
10.79.0.1 mail.lab
10.77.0.1 inside.lab
END
}

remove_namespaces() {
    local name
    for name in "${NAMESPACES[@]}"; do
        if [[ -e /run/netns/$PREFIX-$name ]]; then
            end_all "$name"
            ip netns delete "$PREFIX-$name"
        fi
        if [[ -d /etc/netns/$PREFIX-$name ]]; then
            rm -f "/etc/netns/$PREFIX-$name"/{resolv.conf,hosts}
            rmdir "/etc/netns/$PREFIX-$name"
        fi
    done
    rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null || true
}

addresses_of() {
    ip -br -n "$PREFIX-$1" address show scope global 2>/dev/null | grep -v '^lo ' | awk '{ printf "%s", $1; for (i = 3; i <= NF; i++) if ($i !~ /^fe80/) printf " %s", $i; printf "  " }'
}

processes_of() {
    local pids
    pids=$(ip netns pids "$PREFIX-$1" 2>/dev/null | paste -sd,)
    [[ -z $pids ]] || ps -o pid=,stat=,args= -p "$pids" | sed 's/^/                 /'
}
