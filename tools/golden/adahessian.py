"""Golden runs of AdaHessian: timm's class, whose estimate of the curvature is replaced by the recorded curvature, and the paper.

Needs, besides what common.py needs: pip install --no-deps timm
"""

import importlib.util
import pathlib
from importlib.metadata import version

import numpy as np
import torch
from common import File, curvature


def timm_class():
    """The class from its own file, since importing all of timm would need torchvision."""
    folder = pathlib.Path(importlib.util.find_spec("timm").submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location("adahessian", folder / "optim" / "adahessian.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Adahessian


class Given(timm_class()):
    """AdaHessian that is told the curvature."""

    @torch.no_grad()
    def set_hessian(self):
        for p in self.get_params():
            if self.state[p]["hessian step"] % self.update_each == 0:
                t = self.state[p]["hessian step"] + 1
                p.hess = torch.tensor(curvature(t, tuple(p.shape)), dtype=p.dtype)
            self.state[p]["hessian step"] += 1


def settings(lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, hessian_power=1.0, every=1):
    return {
        "lr": lr,
        "beta1": beta1,
        "beta2": beta2,
        "eps": eps,
        "weight_decay": weight_decay,
        "hessian_power": hessian_power,
        "every": every,
    }


STATE = {"exp_avg": "exp_avg", "exp_hessian_diag_sq": "exp_hessian_diag_sq"}


def timm(file, name, **changes):
    s = settings(**changes)

    def build(params):
        return Given(
            params,
            lr=s["lr"],
            betas=(s["beta1"], s["beta2"]),
            eps=s["eps"],
            weight_decay=s["weight_decay"],
            hessian_power=s["hessian_power"],
            update_each=int(s["every"]),
        )

    arguments = ", ".join(f"{key}={value}" for key, value in changes.items())
    file.torch(name, f"timm.optim.Adahessian({arguments}), given the curvature", build, s, state=STATE)


def paper(file, name, **changes):
    """Algorithm 1 of Yao et al. (2020), with k on the corrected root of the mean of squares, and nothing added to it."""
    s = settings(**changes)

    def step(t, theta, grad, state):
        if t == 1:
            state["m"] = np.zeros_like(theta)
            state["squares"] = np.zeros_like(theta)
        if (t - 1) % int(s["every"]) == 0:
            state["d"] = np.abs(curvature(t, theta.shape))
        state["m"] = s["beta1"] * state["m"] + (1 - s["beta1"]) * grad
        state["squares"] = s["beta2"] * state["squares"] + (1 - s["beta2"]) * state["d"] ** 2
        m = state["m"] / (1 - s["beta1"] ** t)
        v = np.sqrt(state["squares"] / (1 - s["beta2"] ** t))
        moved = v > 0
        ratio = np.zeros_like(theta)
        ratio[moved] = m[moved] / v[moved] ** s["hessian_power"]
        return theta - s["lr"] * ratio

    file.paper(name, "Algorithm 1 of arXiv:2006.00719", step, s)


with File("adahessian") as file:
    file.tools.append(f"timm {version('timm')}")
    timm(file, "adahessian-timm")
    timm(file, "adahessian-timm-decay", weight_decay=0.05, eps=1e-4, lr=0.15)
    timm(file, "adahessian-timm-every-7", every=7, beta2=0.99)
    timm(file, "adahessian-timm-power", hessian_power=0.5, every=2)
    paper(file, "adahessian-paper", lr=0.15, eps=1e-300)
    paper(file, "adahessian-paper-power", hessian_power=0.7, every=3, beta1=0.8, eps=1e-300)
