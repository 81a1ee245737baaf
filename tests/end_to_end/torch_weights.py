"""torch_weights.py MODEL.pth: writes its weights beside it in the forms in which people keep them."""

import sys
import zipfile

import torch

state = {name: value for name, value in torch.load(sys.argv[1], weights_only=False).items() if "_quantizer." not in name}


def behind(prefix):
    return {prefix + name: value for name, value in state.items()}


torch.save(behind("_orig_mod.module."), "compiled.pth", pickle_protocol=4)
torch.save({"n_averaged": torch.tensor(3), **behind("module.")}, "averaged.pth", pickle_protocol=5)
torch.save({"epoch": 3, "state_dict": behind("model."), "optimizer_states": []}, "lightning.pth")
torch.save({"net": behind("module."), "acc": torch.tensor(71.2), "args": slice(1, 2)}, "net.pth", pickle_protocol=3)
# For the converter alone:
torch.save(state, "legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"teacher": {name: 2 * value for name, value in state.items()}, "student": state}, "two.pth")
torch.save({"state_dict": {**behind("model."), "criterion.weight": torch.ones(3)}}, "beside.pth")
with zipfile.ZipFile("lightning.pth") as plain, zipfile.ZipFile("deflated.pth", "w", zipfile.ZIP_DEFLATED) as deflated:
    for name in plain.namelist():
        deflated.writestr(name, plain.read(name))
