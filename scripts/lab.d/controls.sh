# shellcheck shell=bash
# The lab proves itself before anybody trusts what is seen in it. Sourced by scripts/lab.

run_controls() {
    answers prober 10.78.0.1 || fail "the gateway does not answer the prober"
    answers prober fd78::1 || fail "the gateway does not answer the prober over IPv6"
    connects 10.78.0.1 443 || fail "the gateway refuses connections"
    local port
    for port in 444 445 1194; do
        connects 10.78.0.1 "$port" || fail "the gateway refuses connections to port $port"
    done
    [[ $(banner 10.79.0.1 25) == 220* ]] || fail "the mail server does not greet the prober"
    answers gw 10.77.0.1 || fail "the inside host does not answer the gateway"
    # Without these two, an answer through the tunnel would prove nothing.
    ! answers prober 10.77.0.1 || fail "the inside host answers the prober without a tunnel"
    [[ -z $(ip -n "$PREFIX-prober" route show default) ]] || fail "the prober has a default route"
    prove_pair
}

# answers NAME ADDRESS: whether one of three echo requests sent from there is answered.
answers() {
    in_ns "$1" ping -n -q -c 3 -i 0.2 -W 1 "$2" >/dev/null 2>&1
}

connects() {
    in_ns prober timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null
}

banner() {
    in_ns prober timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2; IFS= read -r line <&3; echo \"\$line\"" 2>/dev/null
}
