"""Golden runs of AMSGrad: PyTorch, optax, and the paper's form, which corrects nothing."""

import common
import numpy as np

STATE = {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq", "max_exp_avg_sq": "max_exp_avg_sq"}
BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.1}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.0}


def optax_state(kept):
    return {"exp_avg": kept[0].mu, "exp_avg_sq": kept[0].nu, "max_exp_avg_sq": kept[0].nu_max}


def paper(settings):
    """Reddi, Kale & Kumar (2018), Algorithm 2."""
    lr, beta1, beta2 = settings["lr"], settings["beta1"], settings["beta2"]

    def step(t, theta, g, state):
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g**2
        v_max = state["v_max"] = np.maximum(state.get("v_max", 0.0), v)
        return theta - lr * m / np.sqrt(v_max)

    return step


with common.File("amsgrad") as file:
    import optax
    import torch

    def torch_adam(s, cls=torch.optim.Adam):
        betas = (s["beta1"], s["beta2"])
        options = {"lr": s["lr"], "betas": betas, "eps": s["eps"], "weight_decay": s["weight_decay"]}
        return lambda params: cls(params, amsgrad=True, foreach=False, fused=False, **options)

    file.torch(
        "amsgrad-torch-defaults",
        "torch.optim.Adam(amsgrad=True)",
        lambda params: torch.optim.Adam(params, amsgrad=True, foreach=False, fused=False),
        {},
        {"preset": "torch"},
        shape=(65,),
        state=STATE,
    )
    file.torch(
        "amsgrad-torch-other",
        "torch.optim.Adam(lr=0.02, betas=(0.8, 0.9), eps=1e-3, amsgrad=True)",
        torch_adam(OTHER),
        OTHER,
        {"v_max": "torch"},
        state=STATE,
    )
    file.torch(
        "amsgrad-torch-weight-decay",
        "torch.optim.Adam(lr=0.01, betas=(0.9, 0.99), weight_decay=0.1, amsgrad=True)",
        torch_adam(BASE),
        BASE,
        {"v_max": "torch"},
        shape=(65,),
        state=STATE,
    )
    file.torch(
        "amsgrad-torch-decoupled",
        "torch.optim.AdamW(lr=0.01, betas=(0.9, 0.99), weight_decay=0.1, amsgrad=True)",
        torch_adam(BASE, torch.optim.AdamW),
        BASE,
        {"v_max": "torch", "decoupled": "true"},
        shape=(65,),
        state=STATE,
    )
    file.optax(
        "amsgrad-optax-defaults",
        "optax.amsgrad(1e-3)",
        optax.amsgrad(1e-3),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "amsgrad-optax-eps-root",
        "optax.amsgrad(0.02, b1=0.8, b2=0.9, eps=1e-3, eps_root=1e-4)",
        optax.amsgrad(0.02, 0.8, 0.9, 1e-3, 1e-4),
        {**OTHER, "eps_root": 1e-4},
        {"v_max": "optax"},
        state=optax_state,
    )
    for name, mu, nu in (("first", True, False), ("second", False, True), ("neither", False, False)):
        file.optax(
            f"amsgrad-optax-{name}",
            f"optax.amsgrad(0.02, b1=0.8, b2=0.9, eps=1e-3, bias_correction_mu={mu}, bias_correction_nu={nu})",
            optax.amsgrad(0.02, 0.8, 0.9, 1e-3, bias_correction_mu=mu, bias_correction_nu=nu),
            OTHER,
            {"v_max": "optax", "bias_correction": name},
            shape=(65,),
            state=optax_state,
        )
    # Seven entries: without epsilon, one that has had no gradient is 0/0.
    file.paper(
        "amsgrad-paper",
        "Reddi, Kale & Kumar (2018), Algorithm 2",
        paper(OTHER),
        {**OTHER, "eps": 0.0},
        {"v_max": "paper"},
        shape=(7,),
    )
    file.torch(
        "amsgrad-torch-f32",
        "torch.optim.Adam(lr=0.01, betas=(0.9, 0.99), weight_decay=0.1, amsgrad=True), float32",
        torch_adam(BASE),
        BASE,
        {"v_max": "torch"},
        shape=(9,),
        state=STATE,
        dtype="f32",
    )
