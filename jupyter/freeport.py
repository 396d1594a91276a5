"""Print the first free port of 127.0.0.1 from the one given on."""
import socket
import sys

wanted = int(sys.argv[1])
for port in range(wanted, wanted + 50):
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
sys.exit(f"No free port from {wanted} to {wanted + 49}: say PORT=...")
