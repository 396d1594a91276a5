#!/bin/sh
# Starts JupyterLab on notebooks/ and prints its address. Called by "make lab".
# Arguments are handed on to JupyterLab.
#
#   PORT     first port to try (8888); the next free one is taken if it is busy
#   BROWSER  0: do not open a browser
#   HOST     address to listen on (127.0.0.1)
#   JUPYTER_TOKEN  the token of the address; made up anew at each start if unset
#   PUBLIC_PORT    the port to print, where a container maps PORT to another
#   NOTEBOOKS      the folder to open (notebooks)
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."

port=$(.venv/bin/python jupyter/freeport.py "${PORT:-8888}")
: "${JUPYTER_TOKEN:=$(.venv/bin/python -c 'import secrets; print(secrets.token_hex(24))')}"
export JUPYTER_TOKEN
# For the healthcheck, which must know a token made up here.
mkdir -p .venv/run
(umask 077 && printf '%s\n' "$JUPYTER_TOKEN" >".venv/run/token-$port")
folder=${NOTEBOOKS:-notebooks}
mkdir -p "$folder"
page=/lab
[ -f "$folder/0-start-here.ipynb" ] && page=/lab/tree/0-start-here.ipynb

set -- "$@" --ServerApp.root_dir="$folder" --ServerApp.ip="${HOST:-127.0.0.1}" \
    --ServerApp.port="$port" --ServerApp.port_retries=0 --LabApp.default_url="$page" \
    --MultiKernelManager.default_kernel_name=gonb --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
    --Application.log_level=WARN
[ "${BROWSER:-1}" = 0 ] && set -- "$@" --no-browser
[ "$(id -u)" = 0 ] && set -- "$@" --allow-root

echo
echo "JupyterLab: http://127.0.0.1:${PUBLIC_PORT:-$port}$page?token=$JUPYTER_TOKEN"
echo "Stop it with Ctrl-C."
echo
unset BROWSER # a name the Python standard library gives another meaning
exec .venv/bin/python -m jupyterlab "$@"
