# shellcheck shell=bash
# The other gateway: Debian's OpenVPN, one server for each way of logging in. Sourced by scripts/lab.
#
#     1194 udp, 1194 tcp   user name and password
#     1195 udp             client certificate
#     1196 udp             client certificate, user name and password
#     1197 udp             as 1195; its own certificate has expired
#     1198 udp             as 1195; knows one cipher only
#     1199 udp             user name, password and a one-time code, at once or asked for afterwards

openvpn_start() {
    openvpn_server password-udp 1194 udp4 10.88.1 gw "$(by_password)" "$(without_certificate)"
    openvpn_server password-tcp 1194 tcp4-server 10.88.2 gw "$(by_password)" "$(without_certificate)"
    openvpn_server certificate 1195 udp4 10.88.3 gw
    openvpn_server both 1196 udp4 10.88.4 gw "$(by_password)"
    openvpn_server expired 1197 udp4 10.88.5 expired
    openvpn_server cipher 1198 udp4 10.88.6 gw 'data-ciphers CHACHA20-POLY1305'
    openvpn_server codes 1199 udp4 10.88.7 gw "$(by_password openvpn-verify-codes)" "$(without_certificate)"
    wait_for 10 "OpenVPN listens (scripts/lab log openvpn)" openvpn_listens
}

# by_password [SCRIPT]
by_password() {
    cat <<END
script-security 2
auth-user-pass-verify $REPOSITORY/scripts/lab.d/${1-openvpn-verify} via-file
setenv LAB $LAB
END
}

without_certificate() {
    printf 'verify-client-cert none\nusername-as-common-name\n'
}

# openvpn_server NAME PORT PROTOCOL NETWORK CERTIFICATE OPTIONS…
openvpn_server() {
    local name=$1 port=$2 protocol=$3 network=$4 certificate=$5
    shift 5
    {
        cat <<END
local 10.78.0.1
port $port
proto $protocol
# not tun*: those are the clients'
dev ovpn-${network##*.}
dev-type tun
topology subnet
server $network.0 255.255.255.0
push "route 10.77.0.0 255.255.255.0"
push "dhcp-option DNS 10.77.0.1"
ca $LAB/certificates/ca.pem
cert $LAB/certificates/$certificate.pem
key $LAB/certificates/$certificate.key
dh none
# what died is noticed soon
keepalive 1 4
duplicate-cn
tmp-dir $LAB/run
management $LAB/run/openvpn-$name.socket unix
verb 3
END
        # tests log in as often as they like
        [[ $protocol != udp4 ]] || printf 'connect-freq 1000 1\nconnect-freq-initial 1000 1\n'
        printf '%s\n' "$@"
    } >"$LAB/run/openvpn-$name.conf"
    start_in gw "$LAB/log/openvpn.log" "$LAB/run/openvpn-$name.pid" openvpn --config "$LAB/run/openvpn-$name.conf"
}

openvpn_listens() {
    local port
    for port in 1194 1195 1196 1197 1198 1199; do
        [[ -n $(in_ns gw ss -Hlun "sport = :$port") ]] || return 1
    done
    [[ -n $(in_ns gw ss -Hltn 'sport = :1194') ]]
}

# A client's configuration for each of them, as an administrator would hand it out.
write_openvpn_profiles() {
    local at=$LAB/openvpn certificates=$LAB/certificates
    mkdir "$at"
    openvpn_profile password 1194 udp 'auth-user-pass'
    openvpn_profile password-tcp 1194 tcp 'auth-user-pass'
    openvpn_profile certificate 1195 udp "cert $certificates/client.pem" "key $certificates/client.key"
    openvpn_profile passphrase 1195 udp "cert $certificates/client.pem" "key $certificates/client-locked.key"
    openvpn_profile both 1196 udp 'auth-user-pass' "cert $certificates/client.pem" "key $certificates/client-locked.key"
    openvpn_profile expired-gateway 1197 udp "cert $certificates/client.pem" "key $certificates/client.key"
    openvpn_profile other-cipher 1198 udp "cert $certificates/client.pem" "key $certificates/client.key" \
        'data-ciphers AES-256-GCM'
    openvpn_profile codes 1199 udp 'auth-user-pass'
    openvpn_profile codes-at-once 1199 udp 'auth-user-pass' 'static-challenge "Enter the code, please" 1'
    openvpn_profile codes-hidden 1199 udp 'auth-user-pass' 'static-challenge "Enter the code, please" 0'
    openvpn_profile expired 1195 udp "cert $certificates/client-expired.pem" "key $certificates/client-expired.key"
    openvpn_profile stranger 1195 udp "cert $certificates/stranger.pem" "key $certificates/stranger.key"
    openvpn_profile untrusted 1195 udp "cert $certificates/client.pem" "key $certificates/client.key"
    sed -i "s|^ca .*|ca $certificates/stranger-ca.pem|" "$at/untrusted.ovpn"
}

# openvpn_profile NAME PORT PROTOCOL OPTIONS…
openvpn_profile() {
    local name=$1 port=$2 protocol=$3
    shift 3
    {
        printf 'client\ndev tun\nnobind\nremote 10.78.0.1 %s %s\n' "$port" "$protocol"
        printf 'ca %s\nremote-cert-tls server\n' "$LAB/certificates/ca.pem"
        printf '%s\n' "$@"
    } >"$LAB/openvpn/$name.ovpn"
}
