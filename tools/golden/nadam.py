"""Golden runs of NAdam: PyTorch with its momentum schedule, optax with constant momentum.

PyTorch keeps mu_product in the default dtype. It is set to float64 here, for the runs in float32 too,
since otherwise the float64 runs would be as inexact as float32.
"""

import common

STATE = {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"}
BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "momentum_decay": 4e-3, "weight_decay": 0.1}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "momentum_decay": 0.2, "weight_decay": 0.0}


def optax_state(kept):
    return {"exp_avg": kept[0].mu, "exp_avg_sq": kept[0].nu}


with common.File("nadam") as file:
    import optax
    import torch

    torch.set_default_dtype(torch.float64)

    def torch_nadam(s, **kwargs):
        names = ("lr", "eps", "momentum_decay", "weight_decay")
        options = {"betas": (s["beta1"], s["beta2"]), **{name: s[name] for name in names}, **kwargs}
        return lambda params: torch.optim.NAdam(params, foreach=False, **options)

    file.torch(
        "nadam-torch-defaults",
        "torch.optim.NAdam(), default dtype float64",
        lambda params: torch.optim.NAdam(params, foreach=False),
        {},
        {"preset": "torch"},
        shape=(65,),
        state=STATE,
    )
    file.torch(
        "nadam-torch",
        "torch.optim.NAdam(lr=0.02, betas=(0.8, 0.95), eps=1e-3, momentum_decay=0.2), default dtype float64",
        torch_nadam(OTHER),
        OTHER,
        {"momentum": "warming"},
        state=STATE,
    )
    for decoupled in ("false", "true"):
        file.torch(
            "nadam-torch-decoupled" if decoupled == "true" else "nadam-torch-weight-decay",
            f"torch.optim.NAdam(lr=0.01, weight_decay=0.1, decoupled_weight_decay={decoupled.title()}), default dtype float64",
            torch_nadam(BASE, decoupled_weight_decay=decoupled == "true"),
            BASE,
            {"momentum": "warming", "decoupled": decoupled},
            shape=(65,),
            state=STATE,
        )
    file.optax(
        "nadam-optax-defaults",
        "optax.nadam(2e-3)",
        optax.nadam(2e-3),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "nadam-optax",
        "optax.nadam(0.02, b1=0.8, b2=0.95, eps=1e-3, eps_root=1e-4)",
        optax.nadam(0.02, 0.8, 0.95, 1e-3, 1e-4),
        {**OTHER, "eps_root": 1e-4},
        {"momentum": "constant"},
        state=optax_state,
    )
    file.optax(
        "nadam-optax-decoupled",
        "optax.nadamw(0.01, weight_decay=0.1)",
        optax.nadamw(0.01, weight_decay=0.1),
        BASE,
        {"momentum": "constant", "decoupled": "true"},
        shape=(65,),
        state=optax_state,
    )
    file.torch(
        "nadam-torch-f32",
        "torch.optim.NAdam(lr=0.01, weight_decay=0.1), float32, default dtype float64",
        torch_nadam(BASE),
        BASE,
        {"momentum": "warming"},
        shape=(9,),
        state=STATE,
        dtype="f32",
    )
