#!/usr/bin/env python3
"""Measures the HTTP server: bench/http/http.py [--program build/release/http_bench_server] [--seconds S] [--megabytes N]

Requests per second on an empty route, from processes without pipelining; PUT of one body to a file, and GET of it,
with the server's peak memory. Clients run on the same machine and share its processors. Prints JSON.
    ninja -C build/release http_bench_server
"""
import argparse
import hashlib
import json
import multiprocessing
import os
import pathlib
import platform
import re
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIECE = 1 << 20


def connect(port):
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def requests_for(port, connections, seconds, results):
    """Sends requests round-robin over all connections; puts (requests, latencies in ms)."""
    clients = [connect(port) for _ in range(connections)]
    request = b"GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n"
    latencies, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        for client in clients:
            client.sendall(request)
        for client in clients:
            if not client.recv(65536).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("not served")
        latencies.append((time.perf_counter() - begin) * 1e3)
    results.put((len(latencies) * connections, latencies))


def measure_requests(port, server, processes, connections, seconds):
    results = multiprocessing.Queue()
    cpu = cpu_seconds(server)
    workers = [multiprocessing.Process(target=requests_for, args=(port, connections, seconds, results))
               for _ in range(processes)]
    for worker in workers:
        worker.start()
    done = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    count = sum(number for number, _ in done)
    rounds = sorted(value for _, values in done for value in values)
    return {"connections": processes * connections, "seconds": seconds, "requests_per_second": round(count / seconds),
            "server_cpu_microseconds_per_request": round((cpu_seconds(server) - cpu) / count * 1e6, 1),
            "round_p50_ms": round(rounds[len(rounds) // 2], 2), "round_p99_ms": round(rounds[len(rounds) * 99 // 100], 2)}


def measure_transfer(port, file, megabytes):
    piece = os.urandom(PIECE)
    begin = time.perf_counter()
    client = connect(port)
    client.sendall(f"PUT /file HTTP/1.1\r\nHost: bench\r\nContent-Length: {megabytes * PIECE}\r\n\r\n".encode())
    for _ in range(megabytes):
        client.sendall(piece)
    if not client.recv(65536).startswith(b"HTTP/1.1 204"):
        raise RuntimeError("the upload was refused")
    put = time.perf_counter() - begin
    wanted = hashlib.sha256()
    for _ in range(megabytes):
        wanted.update(piece)
    with open(file, "rb") as stored:
        same = hashlib.file_digest(stored, "sha256").digest() == wanted.digest()
    begin, got, buffer = time.perf_counter(), 0, bytearray(PIECE)
    client.sendall(b"GET /file HTTP/1.1\r\nHost: bench\r\n\r\n")
    while got < megabytes * PIECE:
        count = client.recv_into(buffer)
        if not count:
            raise RuntimeError("the download was cut")
        got += count
    get = time.perf_counter() - begin
    return {"megabytes": megabytes, "put_megabytes_per_second": round(megabytes / put),
            "get_megabytes_per_second": round(megabytes / get), "identical": same}


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(server):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
    return round(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "release" / "http_bench_server")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--megabytes", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([options.program, folder], stdout=subprocess.PIPE, text=True) as server:
            try:
                port = int(server.stdout.readline())
                result = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(),
                          "load": round(os.getloadavg()[0], 1), "start_megabytes": peak_megabytes(server)}
                result["transfer"] = measure_transfer(port, pathlib.Path(folder) / "file", options.megabytes)
                result["transfer"]["peak_megabytes"] = peak_megabytes(server)
                result["requests"] = [measure_requests(port, server, 1, 1, options.seconds),
                                      measure_requests(port, server, 2, 16, options.seconds)]
                result["peak_megabytes"] = peak_megabytes(server)
            finally:
                server.send_signal(signal.SIGTERM)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
