"""Golden runs of Muon: torch's with its cast to bfloat16 turned off, and optax's, with AdamW for other shapes.

It also prints how far torch's own rule, with the cast, ends up from the one without.
"""

import jax
import numpy as np
import optax
import torch
from common import STEPS, File, gradient, start

jax.config.update("jax_enable_x64", True)

STANDARD = (3.4445, -4.7750, 2.0315)
DION = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)


def settings(**changes):
    defaults = {
        "lr": 1e-3,
        "momentum": 0.95,
        "a": STANDARD[0],
        "b": STANDARD[1],
        "c": STANDARD[2],
        "ns_steps": 5,
        "eps": 1e-7,
        "weight_decay": 0.1,
    }
    return {**defaults, **changes}


def in_full(grad, coefficients, steps, eps):
    """What the paper's algorithm does, in the type of the gradient: Newton-Schulz on the side with fewer rows."""
    a, b, c = coefficients
    x = grad.T if grad.shape[0] > grad.shape[1] else grad
    x = x / max(float(torch.linalg.matrix_norm(x)), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if grad.shape[0] > grad.shape[1] else x


module = __import__("torch.optim._muon", fromlist=["muon"])
in_bfloat16 = module._zeropower_via_newtonschulz


def words(values):
    return "".join(f", {key}={value}" for key, value in values.items())


def torch_run(file, name, shape, nesterov=True, adjust_lr="original", **changes):
    s = settings(**changes)

    def build(params):
        return torch.optim.Muon(
            params,
            lr=s["lr"],
            weight_decay=s["weight_decay"],
            momentum=s["momentum"],
            nesterov=nesterov,
            ns_coefficients=(s["a"], s["b"], s["c"]),
            eps=s["eps"],
            ns_steps=int(s["ns_steps"]),
            adjust_lr_fn=adjust_lr,
        )

    module._zeropower_via_newtonschulz = in_full
    source = f"torch.optim.Muon(nesterov={nesterov}, adjust_lr_fn={adjust_lr}{words(changes)}), orthogonalised in float64"
    options = {"form": "torch", "nesterov": nesterov, "adjust_lr": adjust_lr}
    state = {"momentum_buffer": "momentum_buffer"}
    file.torch(name, source, build, s, options, shape, state)
    module._zeropower_via_newtonschulz = in_bfloat16


def optax_run(file, name, shape, nesterov=True, rms=None, preset=None, **given):
    """`rms` is optax's consistent_rms; `given` goes to optax as it is."""
    changes = {key: given[key] for key in ["ns_steps", "eps"] if key in given}
    s = settings(**{"lr": 0.01, "eps": 1e-8, "weight_decay": given.get("weight_decay", 0.0), **changes})
    adam = {
        "adamw_lr": given.get("adam_learning_rate", s["lr"]),
        "adamw_beta1": given.get("adam_b1", 0.9),
        "adamw_beta2": given.get("adam_b2", 0.999),
        "adamw_eps_root": given.get("adam_eps_root", 0.0),
        "adamw_weight_decay": given.get("adam_weight_decay", 0.0),
    }
    if "beta" in given:
        s["momentum"] = given["beta"]
    coefficients = DION if preset == "dion" else STANDARD
    opt = optax.contrib.muon(s["lr"], ns_coeffs=coefficients, nesterov=nesterov, consistent_rms=rms, **given)
    # Without this each step of Newton and Schulz would be compiled again at every step.
    opt = optax.GradientTransformation(opt.init, jax.jit(opt.update))
    options = {"form": "optax", "nesterov": nesterov, "adjust_lr": "transposed" if rms is None else "rms"}
    options |= {"preconditioning": given.get("preconditioning", "frobenius"), "preset": preset or "standard"}
    options |= {"adaptive": given.get("adaptive", False)}
    if rms is not None:
        s["rms"] = rms

    def state(kept):
        if len(shape) == 2:
            return {"momentum_buffer": kept.inner_states["muon"].inner_state[0].mu}
        adam = kept.inner_states["adam"].inner_state[0]
        return {"exp_avg": adam.mu, "exp_avg_sq": adam.nu}

    source = f"optax.contrib.muon(nesterov={nesterov}, consistent_rms={rms}, ns_coeffs={preset}{words(given)})"
    file.optax(name, source, opt, {**s, **adam}, options, shape, state)


def far(shape):
    """How far torch ends up from its rule without the cast, relative to the way of each entry, by root mean square and at most."""
    ends, way = [], 0.0
    for rule in [in_full, in_bfloat16]:
        module._zeropower_via_newtonschulz = rule
        theta = torch.tensor(start(shape), dtype=torch.float64, requires_grad=True)
        opt = torch.optim.Muon([theta], weight_decay=0.0)
        path = [start(shape)]
        for t in range(1, STEPS + 1):
            theta.grad = torch.tensor(gradient(t, shape), dtype=torch.float64)
            opt.step()
            path.append(theta.detach().numpy().copy())
        ends.append(path[-1])
        if rule is in_full:
            way = np.abs(np.diff(path, axis=0)).sum(axis=0)
    module._zeropower_via_newtonschulz = in_bfloat16
    gap = np.abs(ends[0] - ends[1])
    return np.sqrt(np.mean(gap**2) / np.mean(way**2)), np.max(gap / np.max(way))


with File("muon") as file:
    for shape in [(1, 7), (7, 1), (1, 1), (8, 9), (9, 8), (8, 8), (64, 65), (65, 33)]:
        torch_run(file, f"muon-torch-{shape[0]}x{shape[1]}", shape)
    for adjust_lr in ["match_rms_adamw", "spectral_unclamped"]:
        for shape in [(5, 7), (7, 5)]:
            torch_run(file, f"muon-torch-{adjust_lr}-{shape[0]}x{shape[1]}", shape, adjust_lr=adjust_lr)
    torch_run(file, "muon-torch-plain", (8, 9), nesterov=False, momentum=0.8, weight_decay=0.0, lr=0.02)
    torch_run(file, "muon-torch-steps", (9, 8), ns_steps=3, a=2.0, b=-1.5, c=0.5, eps=1e5)
    for shape in [(1, 7), (8, 9), (9, 8), (64, 65)]:
        optax_run(file, f"muon-optax-{shape[0]}x{shape[1]}", shape)
    for shape in [(8, 9), (9, 8)]:
        for preconditioning in ["spectral", "aol", "schatten"]:
            name = f"muon-optax-{preconditioning}-{shape[0]}x{shape[1]}"
            optax_run(file, name, shape, preconditioning=preconditioning)
    optax_run(file, "muon-optax-plain", (8, 9), nesterov=False, beta=0.9, weight_decay=0.1, eps=1e-3)
    optax_run(file, "muon-optax-rms", (9, 8), rms=0.2)
    optax_run(file, "muon-optax-dion", (8, 9), preset="dion")
    optax_run(file, "muon-optax-adaptive", (9, 8), adaptive=True)
    optax_run(file, "muon-optax-steps", (8, 9), ns_steps=2)
    optax_run(file, "muon-optax-vector", (65,))
    optax_run(
        file,
        "muon-optax-stack",
        (4, 3, 5),
        nesterov=False,
        adam_b1=0.8,
        adam_b2=0.99,
        adam_eps_root=1e-6,
        adam_weight_decay=0.1,
        adam_learning_rate=0.003,
    )

for shape in [(8, 9), (64, 65)]:
    print(f"torch's bfloat16 on {shape}: {far(shape)[0]:.1e} rms, {far(shape)[1]:.1e} at most, of the way")
