"""One peer in a process of its own. Speaks what ../qat_service.cpp says, a JSON object per line."""
import dataclasses
import importlib
import importlib.metadata
import json
import os
import pathlib
import re
import sys
import time

import torch


@dataclasses.dataclass
class Setting:
    kit: str = ""  # module with the quantizers; empty: none
    channels_last: bool = True
    fused: bool = True  # the optimizer's step
    compiled: bool = False


SETTINGS = {
    "eager": Setting(channels_last=False, fused=False),
    "channels_last": Setting(),
    "chain": Setting("lsq"),
    "compiled_chain": Setting("lsq", compiled=True),
    "brevitas": Setting("brevitas_kit"),
    "aimet": Setting("aimet_kit"),
    "nncf": Setting("nncf_kit"),
}


def memory(name):
    """A line of /proc/self/status, in bytes."""
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1])


def seconds_of_children():
    times = os.times()
    return times.children_user + times.children_system


def step_of(setting, network, images, labels):
    quantizers = [p for name, p in network.named_parameters() if p.requires_grad and p.numel() <= 1]
    weights = [p for p in network.parameters() if p.requires_grad and p.numel() > 1]
    groups = [{"params": weights, "weight_decay": 1e-4}] + ([{"params": quantizers}] if quantizers else [])
    optimizer = torch.optim.SGD(groups, lr=1e-6, momentum=0.9, fused=setting.fused)

    def loss_of(images, labels):
        return torch.nn.functional.cross_entropy(network(images), labels)

    if setting.compiled:
        loss_of = torch.compile(loss_of)

    def step():
        optimizer.zero_grad()
        loss = loss_of(images, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, sum(p.numel() for p in weights)


class Peer:
    def make(self, request):
        """As in qat_service.cpp; "content": the file that it has exported."""
        setting = SETTINGS[request["subject"]]
        kit = importlib.import_module(setting.kit) if setting.kit else None
        import networks

        self.start = memory("RssAnon")
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
        content = torch.load(request["content"], weights_only=False)
        images, labels = content.pop("images"), content.pop("labels")
        network = networks.make(request["network"], request["classes"])
        network.load_state_dict(content)
        layout = torch.channels_last if setting.channels_last else torch.contiguous_format
        images = images.contiguous(memory_format=layout)
        quantizers = {"weights": 0, "activations": 0}
        if kit:
            network, quantizers = networks.quantize(network, kit)
        network.to(memory_format=layout)
        if kit:
            kit.calibrate(network, images)
        self.step, parameters = step_of(setting, network, images, labels)
        packages = {"torch", kit.PACKAGE if kit else "torch"}
        version = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(packages))
        return {"parameters": parameters, "quantizers": quantizers, "version": version}

    def answer(self, request):
        if "subject" in request:
            return self.make(request)
        if "memory" in request:
            return {"start": self.start, "peak": memory("VmHWM") - memory("RssFile") - memory("RssShmem")}
        if torch.get_num_threads() != request["threads"]:
            torch.set_num_threads(request["threads"])
        torch.manual_seed(1)  # dropout is the same everywhere
        wall, cpu, compilers = time.perf_counter(), time.process_time(), seconds_of_children()
        loss = self.step()
        return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "loss": loss,
                "compilers": seconds_of_children() - compilers}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    peer = Peer()
    for line in sys.stdin:
        try:
            answer = peer.answer(json.loads(line))
        except Exception as error:  # whatever keeps a peer from running here
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


main()
