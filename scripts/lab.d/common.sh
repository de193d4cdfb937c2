# shellcheck shell=bash
# Names, places and small tools of the lab. Sourced by scripts/lab.

PREFIX=${VPNPROBE_LAB:-vplab}
LAB=/tmp/$PREFIX
NAMESPACES=(prober gw inside mail peer)
# Says that a directory is a lab's: nothing else is ever removed.
MARK=.vpnprobe-lab

export PATH=$PATH:/usr/sbin:/sbin

say() {
    printf 'lab: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

[[ $PREFIX =~ ^[a-z][a-z0-9-]{0,31}$ ]] ||
    fail "\`VPNPROBE_LAB=$PREFIX\` is no name: lower-case letters, digits and hyphens, 32 at most"

packages() {
    printf '%s\n' ocserv openconnect openvpn gnutls-bin iproute2 iputils-ping python3-aiosmtpd procps dnsmasq-base \
        charon-systemd strongswan-swanctl strongswan-charon strongswan-starter libcharon-extra-plugins \
        libstrongswan-standard-plugins nftables
}

check_packages() {
    local missing=()
    command -v ocserv >/dev/null || missing+=(ocserv)
    command -v openconnect >/dev/null || missing+=(openconnect)
    command -v openvpn >/dev/null || missing+=(openvpn)
    command -v certtool >/dev/null || missing+=(gnutls-bin)
    command -v dnsmasq >/dev/null || missing+=(dnsmasq-base)
    command -v ip >/dev/null || missing+=(iproute2)
    command -v ping >/dev/null || missing+=(iputils-ping)
    command -v sysctl >/dev/null || missing+=(procps)
    command -v nft >/dev/null || missing+=(nftables)
    command -v charon-systemd >/dev/null || missing+=(charon-systemd)
    command -v swanctl >/dev/null || missing+=(strongswan-swanctl)
    [[ -x /usr/lib/ipsec/charon ]] || missing+=(strongswan-charon)
    [[ -x /usr/lib/ipsec/starter ]] || missing+=(strongswan-starter)
    [[ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ]] || missing+=(libcharon-extra-plugins)
    [[ -e /usr/lib/ipsec/plugins/libstrongswan-openssl.so ]] || missing+=(libstrongswan-standard-plugins)
    # The distribution's Python, whatever else is in PATH: the package is there and nowhere else.
    /usr/bin/python3 -c 'import aiosmtpd.smtp' 2>/dev/null || missing+=(python3-aiosmtpd)
    [[ ${#missing[@]} -eq 0 ]] || fail "not installed: ${missing[*]} (apt-get install ${missing[*]})"
    [[ -c /dev/net/tun ]] || fail "no /dev/net/tun: the kernel has no tun devices here"
}

# Whether anything of this lab is there, whole or half made.
exists() {
    local name
    [[ -e $LAB/$MARK ]] && return
    for name in "${NAMESPACES[@]}"; do
        [[ ! -e /run/netns/$PREFIX-$name ]] || return 0
    done
    return 1
}

need_lab() {
    [[ -e $LAB/$MARK ]] || fail "no lab \`$PREFIX\`; \`scripts/lab up\` makes it"
}

make_directory() {
    # `mkdir` fails on whatever lies there, a link included.
    mkdir -m 0755 "$LAB" || fail "cannot make the lab's directory $LAB"
    : >"$LAB/$MARK"
    mkdir "$LAB"/{bin,certificates,fingerprints,log,mails,results,run,scenarios}
    mkdir -m 0700 "$LAB"/{secrets,state}
}

remove_directory() {
    if [[ -d $LAB && ! -L $LAB && -O $LAB && -e $LAB/$MARK ]]; then
        rm -rf --one-file-system "$LAB"
    fi
}

# in_ns NAME COMMAND…: in one of the lab's namespaces.
in_ns() {
    local name=$1
    shift
    ip netns exec "$PREFIX-$name" "$@"
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "still not so: $what"
        sleep 0.05
    done
}

# start_in NAME LOG PIDFILE COMMAND…: a daemon that holds nothing of ours open.
start_in() {
    local name=$1 log=$2 pidfile=$3
    shift 3
    ip netns exec "$PREFIX-$name" setsid "$@" </dev/null >>"$log" 2>&1 &
    echo $! >"$pidfile"
    # Its end is no news.
    disown $!
}

# alive PIDFILE NAME: whether the recorded process lives, in the namespace where it was started.
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [[ -n $pid ]] && ip netns pids "$PREFIX-$2" 2>/dev/null | grep -qx "$pid"
}

is_empty() {
    [[ -z $(ip netns pids "$PREFIX-$1" 2>/dev/null) ]]
}

# signal_all SIGNAL NAME: to all processes of a namespace but this script.
signal_all() {
    local pid
    for pid in $(ip netns pids "$PREFIX-$2" 2>/dev/null); do
        [[ $pid -eq $$ ]] || kill "-$1" "$pid" 2>/dev/null || true
    done
}

# end_all NAME: all processes of a namespace, politely first.
end_all() {
    local deadline=$((SECONDS + 3))
    signal_all TERM "$1"
    signal_all CONT "$1"
    until is_empty "$1"; do
        if ((SECONDS >= deadline)); then
            signal_all KILL "$1"
        fi
        sleep 0.05
    done
}

# run_inside COMMAND…: where the prober stands. Tools by which a client's script would reach the host's own resolver
# (systemd-resolved, resolvconf) or its hooks are out of sight, so that such a script rewrites the namespace's
# resolv.conf, as it does on a plain host.
run_inside() {
    # shellcheck disable=SC2016 # expanded inside
    PATH=$LAB/bin:$PATH exec ip netns exec "$PREFIX-prober" /bin/sh -c '
        for tool in /usr/bin/resolvectl /usr/bin/busctl /sbin/resolvconf /usr/sbin/unbound-control; do
            [ ! -e "$tool" ] || mount --bind /dev/null "$tool"
        done
        for state in /run/vpnc /etc/vpnc; do
            [ ! -d "$state" ] || mount -t tmpfs none "$state"
        done
        exec "$@"' sh "$@"
}

# Debian's vpnc-script keeps its backups in /run/vpnc, whatever the network namespace. `run_inside` hides that directory;
# for this it must be there.
make_vpnc_state() {
    if mkdir /run/vpnc 2>/dev/null; then
        : >"$LAB/run/made-vpnc"
    fi
}

# The last lab takes it away again.
remove_vpnc_state() {
    local other
    [[ -e $LAB/run/made-vpnc ]] || return 0
    for other in /tmp/*/"$MARK"; do
        if [[ -e $other && $other != "$LAB/$MARK" ]]; then
            : >"$(dirname "$other")/run/made-vpnc"
            return 0
        fi
    done
    rmdir /run/vpnc 2>/dev/null || true
}
