# shellcheck shell=bash
# Two strongSwan daemons and the tunnels between them. Sourced by scripts/lab.
#
#     PREFIX-prober                      PREFIX-peer
#     10.76.0.2 ──────────────────────── 10.76.0.1
#     10.73.0.1 inside, this side        10.75.0.0/16, 10.74.0.0/16 inside, the other side: ping, TCP 9802
#
# `scripts/lab pair start` starts them, `scripts/lab pair stop` ends them. `up` proves them and ends them again, so that
# nothing but the prober runs where the prober stands until somebody wants tunnels.

# Started from copies: Debian's AppArmor profiles are bound to these paths, and allow neither our files nor our sockets.
# (The starter starts its charon where Debian put it.)
PAIR_PROGRAMS=(/usr/sbin/charon-systemd /usr/sbin/swanctl)

# What lies behind tunnels. It never answers in the clear.
PAIR_INSIDE=(10.74.0.0/16 10.75.0.0/16)

# Connection, child, address behind it. `scripts/lab tunnels COUNT` adds many more, see `write_many`.
PAIR_TUNNELS=(
    'site-a   net-a    10.75.0.1'
    'shared   net-b1   10.75.1.1'
    'shared   net-b2   10.75.2.1'
    'rekey    net-r    10.75.3.1'
    'site-psk net-p    10.75.4.1'
    'recovers net-o    10.75.5.1'
    'twin-1   net-twin 10.75.6.1'
    'twin-2   net-twin 10.75.7.1'
)

# The most that `tunnels` adds.
PAIR_MANY=200

make_pair() {
    local net side program
    link prober peer0 10.76.0.2/24 peer prober0 10.76.0.1/24
    ip -n "$PREFIX-prober" address add 10.73.0.1/32 dev peer0
    # Its own IPv6 address would be tentative for a second whenever the link comes up.
    in_ns prober sysctl -qw net.ipv6.conf.peer0.disable_ipv6=1
    # What a fault cut off is not sent again for minutes, through the tunnels of whoever comes next.
    in_ns peer sysctl -qw net.ipv4.tcp_orphan_retries=1
    for net in "${PAIR_INSIDE[@]}"; do
        # Without a tunnel, packets to it go out in the clear, as to a default gateway, and nobody answers.
        ip -n "$PREFIX-prober" route add "$net" via 10.76.0.1
    done
    # Each by itself: kernel-libipsec takes the source of its routes from them.
    {
        printf 'address add %s/32 dev lo\n' "${PAIR_TUNNELS[@]##* }"
        seq -f 'address add 10.74.1.%g/32 dev lo' "$PAIR_MANY"
    } | ip -n "$PREFIX-peer" -batch -
    in_ns peer nft -f - <<END
table ip lab {
    chain clear {
        type filter hook prerouting priority raw
        iifname "prober0" ip daddr { 10.74.0.0/16, 10.75.0.0/16 } drop
    }
}
END
    mkdir "$LAB/pair" "$LAB/pair"/{bin,prober,peer}
    for program in "${PAIR_PROGRAMS[@]}"; do
        install -m 0755 "$program" "$LAB/pair/bin/"
    done
    for side in prober peer; do
        write_tunnels "$side" >"$LAB/pair/$side/tunnels.conf"
        write_many "$side" 0 >"$LAB/pair/$side/many.conf"
        write_psk right >"$LAB/pair/$side/psk.conf"
        printf 'include tunnels.conf\ninclude many.conf\ninclude psk.conf\n' >"$LAB/pair/$side/swanctl.conf"
    done
    write_ipsec_conf
    start_in peer "$LAB/log/peer-inside.log" "$LAB/run/peer-inside.pid" \
        /usr/bin/python3 "$REPOSITORY/scripts/lab.d/greeter.py" 9802
}

# write_strongswan_conf SIDE short-limits|usual-limits. Short: the dead are noticed within seconds, a request is sent four
# times and the peer given up after 2.4 s.
write_strongswan_conf() {
    local limits='retransmit_tries = 3
    retransmit_timeout = 0.3
    retransmit_base = 1.5'
    [[ $2 == short-limits ]] || limits='# a peer that does not answer is given up after 165 s'
    cat <<END
charon {
    load = random nonce openssl aes sha1 sha2 hmac kdf gmp pem pkcs1 x509 pubkey kernel-libipsec kernel-netlink socket-default vici stroke updown
    # Two hundred tunnels come at once, from one address.
    dos_protection = no
    $limits
    filelog {
        lab {
            path = $LAB/log/charon-$1.log
            time_format = %H:%M:%S
            time_add_ms = yes
            append = yes
            flush_line = yes
            default = 1
        }
    }
    syslog {
        identifier = vpnprobe-lab
        daemon {
            default = -1
        }
        auth {
            default = -1
        }
    }
    plugins {
        vici {
            socket = unix://$LAB/pair/$1/charon.vici
        }
        stroke {
            secrets_file = $LAB/pair/$1/ipsec.secrets
        }
    }
}
charon-systemd : charon {
    load = random nonce openssl aes sha1 sha2 hmac kdf gmp pem pkcs1 x509 pubkey kernel-libipsec kernel-netlink socket-default vici updown
}
swanctl {
    load = random nonce openssl pem pkcs1 x509 pubkey
}
END
}

# write_connection SIDE CONNECTION OPTIONS…: without its children.
write_connection() {
    local side=$1 name=$2 here=10.76.0.2 there=10.76.0.1 other=peer
    shift 2
    [[ $side == prober ]] || here=10.76.0.1 there=10.76.0.2 other=prober
    printf '    %s {\n' "$name"
    printf '        %s\n' "version = 2" "local_addrs = $here" "remote_addrs = $there" \
        "proposals = aes128-sha256-ecp256" "local { auth = psk" "id = $side.$name }" "remote { auth = psk" \
        "id = $other.$name }" "$@"
}

# write_child SIDE CHILD ADDRESS OPTIONS…
write_child() {
    local side=$1 name=$2 here=10.73.0.1 there=$3
    shift 3
    [[ $side == prober ]] || here=$there there=10.73.0.1
    printf '            %s {\n' "$name"
    printf '                %s\n' "local_ts = $here/32" "remote_ts = $there/32" "esp_proposals = aes128gcm16-ecp256" "$@"
    printf '            }\n'
}

write_tunnels() {
    local side=$1 tunnel last='' connection child address
    echo 'connections {'
    for tunnel in "${PAIR_TUNNELS[@]}"; do
        read -r connection child address <<<"$tunnel"
        if [[ $connection != "$last" ]]; then
            [[ -z $last ]] || printf '        }\n    }\n'
            mapfile -t options < <(connection_options "$side" "$connection")
            write_connection "$side" "$connection" "${options[@]}"
            printf '        children {\n'
            last=$connection
        fi
        mapfile -t options < <(child_options "$side" "$connection")
        write_child "$side" "$child" "$address" "${options[@]}"
    done
    printf '        }\n    }\n}\n'
}

connection_options() {
    case $1-$2 in
    # It never gives up.
    prober-recovers) printf '%s\n' 'dpd_delay = 1s' 'keyingtries = 0' ;;
    *) : ;;
    esac
}

child_options() {
    case $1-$2 in
    # Both sides rekey, now and then at the same time. Without the other times the pair dies by itself.
    *-rekey) printf '%s\n' 'rekey_time = 3s' 'rand_time = 1s' 'life_time = 120s' ;;
    prober-recovers) printf '%s\n' 'dpd_action = start' 'close_action = start' ;;
    *) printf '%s\n' 'rekey_time = 0' 'life_time = 0' ;;
    esac
}

# write_many SIDE COUNT OPTIONS…: many-000 and so on, twenty children on an IKE_SA.
write_many() {
    local side=$1 count=$2 number
    shift 2
    ((count > 0)) || return 0
    echo 'connections {'
    for ((number = 0; number < count; number++)); do
        if ((number % 20 == 0)); then
            ((number == 0)) || printf '        }\n    }\n'
            write_connection "$side" "$(printf 'many-%02d' $((number / 20)))"
            printf '        children {\n'
        fi
        write_child "$side" "$(printf 'many-%03d' "$number")" "10.74.1.$((number + 1))" 'rekey_time = 0' 'life_time = 0' "$@"
    done
    printf '        }\n    }\n}\n'
}

# write_psk right|wrong: the wrong one is that of `site-psk`.
write_psk() {
    local psk=lab-psk-secret-2
    [[ $1 == right ]] || psk=not-the-key
    cat <<END
secrets {
    ike-all {
        secret = lab-psk-secret-1
    }
    ike-psk {
        id-1 = prober.site-psk
        id-2 = peer.site-psk
        secret = $psk
    }
}
END
}

# The same tunnels as the other flavour of strongSwan is told of them, for the prober's side alone.
write_ipsec_conf() {
    local tunnel connection child address at=$LAB/pair/prober
    {
        printf 'config setup\n\nconn %%default\n'
        printf '    %s\n' keyexchange=ikev2 authby=psk left=10.76.0.2 right=10.76.0.1 leftsubnet=10.73.0.1/32 \
            ike=aes128-sha256-ecp256! esp=aes128gcm16-ecp256! rekey=no auto=add
        for tunnel in "${PAIR_TUNNELS[@]}"; do
            read -r connection child address <<<"$tunnel"
            # There, a connection and its child have one name.
            [[ $connection != twin-2 ]] || continue
            printf '\nconn %s\n' "$child"
            printf '    %s\n' "leftid=prober.$connection" "rightid=peer.$connection" "rightsubnet=$address/32"
        done
    } >"$at/ipsec.conf"
    printf 'prober.site-psk peer.site-psk : PSK "lab-psk-secret-2"\n: PSK "lab-psk-secret-1"\n' >"$at/ipsec.secrets"
    chmod 600 "$at/ipsec.secrets"
}

# pair_start swanctl|ipsec.conf short-limits|usual-limits: both sides, with their tunnels loaded and none up.
pair_start() {
    local side
    [[ $2 == short-limits || $2 == usual-limits ]] || fail "the pair starts with \`short-limits\` (the default) or \`usual-limits\`"
    for side in prober peer; do
        write_strongswan_conf "$side" "$2" >"$LAB/pair/$side/strongswan.conf"
    done
    case $1 in
    swanctl)
        side_start prober
        side_load prober
        ;;
    ipsec.conf) start_with_ipsec_conf ;;
    *) fail "the pair starts with \`ipsec.conf\`, or with \`swanctl\` (the default)" ;;
    esac
    side_start peer
    side_load peer
}

pair_stop() {
    local side
    side_stop prober
    side_stop peer
    # As it was in the beginning.
    for side in prober peer; do
        : >"$LAB/pair/$side/many.conf"
        write_psk right >"$LAB/pair/$side/psk.conf"
    done
}

# side_start SIDE: with nothing loaded.
side_start() {
    start_charon "$1" "$LAB/pair/bin/charon-systemd"
}

# start_charon SIDE COMMAND…
start_charon() {
    local side=$1 at=$LAB/pair/$1
    shift
    side_gone "$side" || fail "the $side's strongSwan runs already"
    rm -f "$at/charon.vici"
    # It may write its process id to /run, which would be the host's.
    # shellcheck disable=SC2016 # expanded inside
    STRONGSWAN_CONF=$at/strongswan.conf start_in "$side" "$LAB/log/charon-$side.out" "$LAB/run/charon-$side.pid" \
        /bin/sh -c 'mount -t tmpfs none /run && exec "$@"' sh "$@"
    wait_for 10 "the $side's strongSwan answers ($LAB/log/charon-$side.log)" swanctl "$side" --version --daemon
}

# The starter starts charon, tells it what ipsec.conf says, and is of no more use.
start_with_ipsec_conf() {
    local at=$LAB/pair/prober starter last
    start_charon prober /usr/lib/ipsec/starter --nofork --conf "$at/ipsec.conf"
    read -r _ last _ <<<"${PAIR_TUNNELS[-2]}"
    wait_for 10 "strongSwan knows ipsec.conf ($LAB/log/charon-prober.out)" knows prober "$last"
    starter=$(cat "$LAB/run/charon-prober.pid")
    cp "/proc/$starter/root/run/charon.pid" "$LAB/run/charon-prober.pid"
    kill -KILL "$starter"
}

# knows SIDE CHILD
knows() {
    swanctl "$1" --list-conns | grep -q "^  $2: "
}

side_stop() {
    side_end "$1" TERM
}

# As a power cut ends it: the other side is not told.
side_kill() {
    side_end "$1" KILL
}

# side_end SIDE SIGNAL
side_end() {
    local side=$1 version
    if ! side_gone "$side"; then
        kill "-$2" "$(cat "$LAB/run/charon-$side.pid")"
        wait_for 10 "the end of the $side's strongSwan" side_gone "$side"
    fi
    rm -f "$LAB/run/charon-$side.pid"
    # What it takes with it when it ends in its own way.
    for version in -4 -6; do
        ip "$version" -n "$PREFIX-$side" rule del priority 220 2>/dev/null || true
    done
}

side_gone() {
    ! alive "$LAB/run/charon-$1.pid" "$1"
}

side_load() {
    quietly swanctl "$1" --load-all --clear --file "$LAB/pair/$1/swanctl.conf"
}

# As after a start of strongSwan that found no configuration.
side_unload() {
    : >"$LAB/pair/$1/empty.conf"
    quietly swanctl "$1" --load-all --clear --file "$LAB/pair/$1/empty.conf"
}

side_wrong_psk() {
    write_psk wrong >"$LAB/pair/$1/psk.conf"
    side_load "$1"
}

side_right_psk() {
    write_psk right >"$LAB/pair/$1/psk.conf"
    side_load "$1"
}

# tunnels COUNT [up]: on both sides, beside the others.
tunnels() {
    local side count=${1-} options=()
    [[ $count =~ ^[0-9]{1,3}$ && $count -le $PAIR_MANY ]] || fail "how many tunnels? 0 to $PAIR_MANY"
    for side in peer prober; do
        ! side_gone "$side" || fail "the $side's strongSwan does not run: \`scripts/lab pair start\`"
        [[ $side-${2-} != prober-up ]] || options=('start_action = start')
        write_many "$side" "$count" "${options[@]}" >"$LAB/pair/$side/many.conf"
        side_load "$side"
    done
}

# swanctl SIDE ARGUMENTS…
swanctl() {
    local side=$1
    shift
    STRONGSWAN_CONF=$LAB/pair/$side/strongswan.conf SWANCTL_DIR=$LAB/pair/$side \
        "$LAB/pair/bin/swanctl" "$@" --uri "unix://$LAB/pair/$side/charon.vici"
}

side_state() {
    if side_gone "$1"; then
        echo stopped
    else
        echo running
    fi
}

# Proven like everything else, and ended.
prove_pair() {
    pair_start swanctl short-limits
    ! answers prober 10.75.0.1 || fail "the inside of the pair answers without a tunnel"
    quietly swanctl prober --initiate --child net-a || fail "strongSwan brings no tunnel up ($LAB/log/charon-prober.log)"
    answers prober 10.75.0.1 || fail "nothing answers through the tunnel"
    greets || fail "nobody listens behind the tunnel"
    pair_stop
}

greets() {
    # shellcheck disable=SC2016 # expanded inside
    in_ns prober timeout 2 bash -c 'exec 3<>/dev/tcp/10.75.0.1/9802; read -r line <&3; [[ $line == inside ]]' 2>/dev/null
}
