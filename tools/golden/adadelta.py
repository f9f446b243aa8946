"""Golden runs of AdaDelta: PyTorch and optax, which agree."""

import common

STATE = {"square_avg": "square_avg", "acc_delta": "acc_delta"}

with common.File("adadelta") as file:
    import optax
    import torch

    for name, settings in [
        ("defaults", {"lr": 1.0, "rho": 0.9, "eps": 1e-6}),
        ("other", {"lr": 0.5, "rho": 0.95, "eps": 1e-3}),
        ("decay", {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.1}),
    ]:
        shown = ", ".join(f"{key}={value}" for key, value in settings.items())
        shape = (1023,) if name == "defaults" else (65,)
        build = lambda params, settings=settings: torch.optim.Adadelta(params, foreach=False, **settings)
        file.torch(f"adadelta-torch-{name}", f"torch.optim.Adadelta({shown})", build, settings, shape=shape, state=STATE)
        file.torch(f"adadelta-torch-{name}-f32", f"torch.optim.Adadelta({shown})", build, settings, shape=(9,), state=STATE, dtype="f32")
        theirs = {**settings, "learning_rate": settings["lr"]}
        del theirs["lr"]
        index = 1 if optax.adadelta(**theirs).init(0.0)[0] == optax.EmptyState() else 0
        file.optax(f"adadelta-optax-{name}", f"optax.adadelta({shown})", optax.adadelta(**theirs), settings, shape=shape,
                   state=lambda kept, index=index: {"square_avg": kept[index].e_g, "acc_delta": kept[index].e_x})
