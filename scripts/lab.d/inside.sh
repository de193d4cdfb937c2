# shellcheck shell=bash
# What lies behind the gateway: a web server and a name server. Sourced by scripts/lab.

inside_start() {
    start_in inside "$LAB/log/inside.log" "$LAB/run/inside.pid" /usr/bin/python3 "$REPOSITORY/scripts/lab.d/inside.py" \
        --address 10.77.0.1 --certificates "$LAB/certificates"
    names_start
    wait_for 10 "the inside host serves pages and names ($LAB/log)" inside_listens
}

# dnsmasq: knows its own names and asks nobody else. `many.lab` has more addresses than fit a datagram.
names_start() {
    {
        printf '%s\n' '10.77.0.1 intranet.lab inside.lab' '10.79.0.1 elsewhere.lab' 'fd77::1 six.lab'
        seq -f '10.77.1.%g many.lab' 40
    } >"$LAB/inside.hosts"
    start_in inside "$LAB/log/names.log" "$LAB/run/names.pid" dnsmasq --keep-in-foreground --conf-file=/dev/null \
        --pid-file= --user=root --no-resolv --no-hosts --addn-hosts="$LAB/inside.hosts" --local=/lab/ \
        --listen-address=10.77.0.1 --bind-interfaces
}

inside_listens() {
    local port
    for port in 80 443 8443 9443 7 53; do
        [[ -n $(in_ns inside ss -Hltn "sport = :$port") ]] || return 1
    done
}
