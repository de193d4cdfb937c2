# shellcheck shell=bash
# Installs the stand-in for Connect Tunnel (tests/startct) as the real one is laid out. Sourced by scripts/lab.

install_standin() {
    local built=${VPNPROBE_STANDIN:-$REPOSITORY/target/debug/startct-standin} at=$LAB/Aventail
    if [[ ! -x $built ]]; then
        [[ -z ${VPNPROBE_STANDIN-} ]] || fail "\`VPNPROBE_STANDIN=$built\` is no program"
        command -v cargo >/dev/null || fail "no cargo in PATH to build the stand-in for startct"
        say "building the stand-in for startct"
        (cd "$REPOSITORY" && cargo build --quiet --bin startct-standin) || fail "the stand-in for startct does not build"
    fi
    mkdir -p "$at/ui"
    install -m 0755 "$REPOSITORY/tests/startct/startct.sh" "$at/startct.sh"
    install -m 0755 "$REPOSITORY/tests/startct/tunnel-script" "$at/ui/tunnel-script"
    install -m 0755 "$REPOSITORY/tests/startct/hold-tun" "$at/ui/hold-tun"
    install -m 0755 "$built" "$at/ui/java"
    ln "$at/ui/java" "$at/ui/AvConnect"
    : >"$at/ui/SnwlConnect.jar"
    # What it has to know of the world: which certificates the gateway shows.
    cp "$LAB/fingerprints/gw.sha1" "$at/leaf.sha1"
    cp "$LAB/fingerprints/ca.sha1" "$at/root.sha1"
    cp "$LAB/fingerprints/gw.pin-sha256" "$at/leaf.pin-sha256"
    ln -s ../log/standin.log "$at/log"
    : >"$LAB/log/standin.log"
    ln -s ../Aventail/startct.sh "$LAB/bin/startct"
    cp "$REPOSITORY"/fixtures/scenarios/*.yml "$LAB/scenarios/"
}
