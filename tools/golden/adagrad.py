"""Golden runs of AdaGrad: PyTorch and optax.

PyTorch adds the weight decay to the gradient with a fused multiply-add. The square of that one rounding is seen in a sum that starts from zero,
in float32 by more than two units in the last place; so the run with weight decay starts from an accumulator.
"""

import common

STATE = {"sum": "sum"}

with common.File("adagrad") as file:
    import optax
    import torch

    def torch_adagrad(**options):
        return lambda params: torch.optim.Adagrad(params, foreach=False, fused=False, **options)

    for name, settings, theirs in [
        ("defaults", {"lr": 0.01, "eps": 1e-10}, {}),
        ("eps", {"lr": 0.1, "eps": 1e-3}, {"lr": 0.1, "eps": 1e-3}),
        ("lr-decay", {"lr": 0.1, "eps": 1e-10, "lr_decay": 0.05}, {"lr": 0.1, "lr_decay": 0.05}),
        ("accumulator", {"lr": 0.1, "eps": 1e-10, "initial_accumulator": 0.5}, {"lr": 0.1, "initial_accumulator_value": 0.5}),
        ("decay", {"lr": 0.1, "eps": 1e-10, "initial_accumulator": 0.5, "weight_decay": 0.1},
         {"lr": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}),
    ]:
        shown = ", ".join(f"{key}={value}" for key, value in theirs.items())
        shape = (1023,) if name == "defaults" else (65,)
        file.torch(f"adagrad-torch-{name}", f"torch.optim.Adagrad({shown})", torch_adagrad(**theirs), settings,
                   shape=shape, state=STATE)
        file.torch(f"adagrad-torch-{name}-f32", f"torch.optim.Adagrad({shown})", torch_adagrad(**theirs), settings,
                   shape=(9,), state=STATE, dtype="f32")

    def optax_state(kept):
        return {"sum": kept[0].sum_of_squares}

    inside = {"eps_at": "inside"}
    file.optax("adagrad-optax-defaults", "optax.adagrad(0.1)", optax.adagrad(0.1),
               {"lr": 0.1, "eps": 1e-7, "initial_accumulator": 0.1}, inside, state=optax_state)
    file.optax("adagrad-optax-eps", "optax.adagrad(0.1, initial_accumulator_value=0, eps=1e-3)",
               optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-3), {"lr": 0.1, "eps": 1e-3}, inside,
               shape=(65,), state=optax_state)
