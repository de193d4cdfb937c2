#!/bin/sh
# The wrapper of the stand-in for Connect Tunnel, laid out as the real one: it finds its Java and waits for it.
# A signal to this script alone reaches nobody else.

STARTCT_HOME=${STARTCT_HOME:-$(dirname "$(readlink -f "$0")")}
export STARTCT_HOME
PATH=$STARTCT_HOME/ui:$PATH

if [ ! -e "$STARTCT_HOME/ui/SnwlConnect.jar" ]; then
    echo "Connect Tunnel install is incomplete or corrupted."
    exit 1
fi
if ! command -v java >/dev/null; then
    echo "Connect Tunnel cannot start: java is not in PATH ($PATH)"
    exit 1
fi
java -Djava.net.preferIPv4Stack=true -jar "$STARTCT_HOME/ui/SnwlConnect.jar" "$@"
