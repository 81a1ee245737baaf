"""A server of one file with the troubles that servers have, on 127.0.0.1: server.py LOG

Prints its port, ends when its standard input does, and writes each request and its Range into LOG. Also a proxy: a
request with a whole address is answered as if it were its path's. The first word of a path decides.

    /file            the file, whole or from an offset on
    /redirect        to /file;  /loop: to itself;  /elsewhere: to a file: address
    /broken          the first answer ends after a third, the second after two thirds
    /no-ranges       the first answer ends after a third, and offsets are ignored
    /busy            503 twice, then the file
    /named           the file, with its sha256 in x-linked-etag;  /misnamed: with another one
    /stalls          a third, and then nothing
"""
import hashlib
import http.server
import sys
import threading
import time
import urllib.parse

CONTENT = bytes(i * 7919 % 251 for i in range(300_000))
DIGEST = hashlib.sha256(CONTENT).hexdigest()
THIRD = len(CONTENT) // 3
counts = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urllib.parse.urlparse(self.path).path.rstrip("/")
        asked = self.headers.get("Range", "")
        with open(sys.argv[1], "a") as log:
            log.write(f"{self.path} {asked}\n")
        counts[path] = count = counts.get(path, 0) + 1
        name = path.split("/")[1]
        target = {"redirect": "/file", "loop": "/loop", "elsewhere": "file:///etc/hostname"}.get(name)
        if target:
            self.answer(302, b"", {"Location": target})
        elif name == "busy" and count <= 2:
            self.answer(503, b"come back later")
        elif name in ("file", "busy", "broken", "no-ranges", "named", "misnamed", "stalls"):
            self.send_file(name, count, asked)
        else:
            self.answer(404, b"no such file, which is a page of its own")

    def answer(self, status, body, headers=(), length=None):
        self.send_response(status)
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def send_file(self, name, count, asked):
        headers = {"named": {"X-Linked-Etag": f'"{DIGEST}"'},
                   "misnamed": {"X-Linked-Etag": '"' + "0" * 64 + '"'}}.get(name, {})
        begin = 0
        if asked and name != "no-ranges":
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(CONTENT):
                self.answer(416, b"")
                return
            headers["Content-Range"] = f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}"
        rest = CONTENT[begin:]
        breaks = (name == "broken" and count <= 2) or (name == "no-ranges" and count == 1) or name == "stalls"
        self.answer(206 if begin else 200, rest[:THIRD] if breaks else rest, headers, len(rest))
        if breaks:
            self.wfile.flush()
            if name == "stalls":
                time.sleep(60)
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away is what is tested


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
