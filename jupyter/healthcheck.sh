#!/bin/sh
# Says whether JupyterLab on PORT (8888) answers and knows the Go kernel; exit
# code 0 or 1. Docker calls it. The token is JUPYTER_TOKEN or, if that is empty,
# the one that start.sh made up.
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
[ -n "${JUPYTER_TOKEN:-}" ] || JUPYTER_TOKEN=$(cat ".venv/run/token-${PORT:-8888}" 2>/dev/null)
export JUPYTER_TOKEN
exec .venv/bin/python - <<'PYTHON'
import json, os, sys, urllib.request

address = "http://127.0.0.1:%s/api/kernelspecs" % os.environ.get("PORT", "8888")
request = urllib.request.Request(address, headers={"Authorization": "token " + os.environ.get("JUPYTER_TOKEN", "")})
try:
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with no_proxy.open(request, timeout=5) as answer:
        kernels = json.load(answer)["kernelspecs"]
except (OSError, ValueError, KeyError) as err:
    sys.exit(f"unhealthy: {err}")
if "gonb" not in kernels:
    sys.exit("unhealthy: the Go kernel is not installed")
print("healthy")
PYTHON
