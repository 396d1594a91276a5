"""Print the first free port of 127.0.0.1 from the one given on."""
import socket
import sys

wanted = int(sys.argv[1]) if sys.argv[1].isascii() and sys.argv[1].isdigit() else 0
if not 1 <= wanted <= 65535:
    sys.exit(f'PORT="{sys.argv[1]}" is no port: say a number from 1 to 65535, 8888 if unsure')
last = min(wanted + 49, 65535)
for port in range(wanted, last + 1):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    if port != wanted:
        print(f"Port {wanted} is busy, taking {port}.", file=sys.stderr)
    print(port)
    sys.exit()
sys.exit(f"No free port from {wanted} to {last}: say PORT=...")
