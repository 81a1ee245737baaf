"""One peer in a process of its own: serve.py NAME. Speaks what service.cpp says, a JSON object per line."""
import importlib
import json
import os
import statistics
import sys
import time

from instance import Instance


def main():
    peer = importlib.import_module(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no answer
    for line in sys.stdin:
        request = json.loads(line)
        instance = Instance(request["file"], request["budget"])
        wall, cpu, choice = [], [], None
        while len(wall) < 5 and sum(wall) < 0.2:
            begin, begin_cpu = time.perf_counter(), time.process_time()
            choice = peer.solve(instance, request["time_limit"])
            wall.append(time.perf_counter() - begin)
            cpu.append(time.process_time() - begin_cpu)
        bits = None if choice is None else instance.bits[choice].tolist()
        print(json.dumps({"seconds": statistics.median(wall), "cpu": statistics.median(cpu), "bits": bits}),
              file=answers, flush=True)


main()
