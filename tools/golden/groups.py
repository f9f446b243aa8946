"""Golden runs of many tensors in two groups, with every kind of clipping: PyTorch and optax.

A run's numbers are cut into the tensors of MODEL, one after the other. Matrices are in one group, vectors in the other.
"""

import common
import numpy as np

MODEL = {"embed.weight": (21, 24), "layer.weight": (16, 30), "layer.bias": (30,), "norm.scale": (9,)}
SIZE = sum(int(np.prod(shape)) for shape in MODEL.values())
BETAS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
GROUPS = {"lr": 0.01, "weight_decay": 0.1, "vectors_lr": 0.02, "vectors_weight_decay": 0.0}
MOMENTUM = {"lr": 1e-3, "weight_decay": 0.0, "vectors_lr": 5e-4, "vectors_weight_decay": 0.0, "momentum": 0.9}
SOURCE = "two groups of {}"

# The global norm of the gradients is above this in about a third of the steps.
OFTEN = 6.2e6


def cut(flat):
    tensors, at = {}, 0
    for name, shape in MODEL.items():
        n = int(np.prod(shape))
        tensors[name] = flat[at : at + n].reshape(shape)
        at += n
    return tensors


def join(tensors):
    return np.concatenate([np.ravel(tensors[name]) for name in MODEL])


def falling(t):
    return 1 - (t - 1) / 200


def frozen(name, t):
    return (name == "layer.weight" and t < 20) or (name == "embed.weight" and 40 <= t < 50)


with common.File("groups") as file:
    import jax
    import jax.numpy as jnp
    import optax
    import torch

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    file.tools += [
        f"torch {torch.__version__.split('+')[0]} on the CPU",
        f"optax {optax.__version__} on jax {jax.__version__}, x64",
    ]

    def torch_run(name, source, settings, clip=None, rule="adamw", options=None, schedule=None, freeze=False):
        options = {"rule": rule, **(options or {})}

        def steps():
            theta = {k: torch.tensor(v, requires_grad=True) for k, v in cut(common.start((SIZE,))).items()}
            matrices = [p for p in theta.values() if p.ndim >= 2]
            vectors = [p for p in theta.values() if p.ndim < 2]
            parts = [
                {"params": matrices, "lr": settings["lr"], "weight_decay": settings["weight_decay"]},
                {"params": vectors, "lr": settings["vectors_lr"], "weight_decay": settings["vectors_weight_decay"]},
            ]
            if rule == "sgd":
                opt = torch.optim.SGD(parts, momentum=settings["momentum"], foreach=False)
            else:
                opt = torch.optim.AdamW(parts, betas=(0.9, 0.999), eps=1e-8, foreach=False, fused=False)
            scheduler = schedule and torch.optim.lr_scheduler.LambdaLR(opt, lambda done: schedule(done + 1))
            for t in range(1, common.STEPS + 1):
                for k, g in cut(common.gradient(t, (SIZE,))).items():
                    theta[k].grad = None if freeze and frozen(k, t) else torch.tensor(g)
                if clip:
                    clip(list(theta.values()))
                opt.step()
                if scheduler:
                    scheduler.step()
                yield {"theta": join({k: p.detach().numpy() for k, p in theta.items()})}

        file.run(name, source, settings, options, (SIZE,), steps())

    def optax_run(name, source, opt, settings, options):
        def steps():
            theta = {k: jnp.asarray(v) for k, v in cut(common.start((SIZE,))).items()}
            kept = opt.init(theta)
            for t in range(1, common.STEPS + 1):
                grad = {k: jnp.asarray(g) for k, g in cut(common.gradient(t, (SIZE,))).items()}
                updates, kept = opt.update(grad, kept, theta)
                theta = optax.apply_updates(theta, updates)
                yield {"theta": join({k: np.asarray(v) for k, v in theta.items()})}

        file.run(name, source, settings, options, (SIZE,), steps())

    adamw, sgd = SOURCE.format("torch.optim.AdamW"), SOURCE.format("torch.optim.SGD with momentum")
    norm = torch.nn.utils.clip_grad_norm_
    torch_run("groups-torch", adamw, {**GROUPS, **BETAS})
    torch_run("groups-torch-schedule", f"{adamw} under LambdaLR", {**GROUPS, **BETAS}, options={"schedule": "falling"}, schedule=falling)
    torch_run("groups-torch-frozen", f"{adamw}, gradients None now and then", {**GROUPS, **BETAS}, options={"frozen": "yes"}, freeze=True)
    for name, limit in [("always", 1.0), ("often", OFTEN)]:
        torch_run(
            f"groups-torch-global-norm-{name}",
            f"{sgd} after clip_grad_norm_ of all",
            {**MOMENTUM, "max": limit},
            clip=lambda tensors, limit=limit: norm(tensors, limit, foreach=False),
            rule="sgd",
            options={"clip": "torch_global_norm"},
        )
    torch_run(
        "groups-torch-norm",
        f"{sgd} after clip_grad_norm_ of each",
        {**MOMENTUM, "max": 1.5e6},
        clip=lambda tensors: [norm([p], 1.5e6, foreach=False) for p in tensors],
        rule="sgd",
        options={"clip": "torch_norm"},
    )
    torch_run(
        "groups-torch-value",
        f"{sgd} after clip_grad_value_",
        {**MOMENTUM, "limit": 50.0},
        clip=lambda tensors: torch.nn.utils.clip_grad_value_(tensors, 50.0, foreach=False),
        rule="sgd",
        options={"clip": "value"},
    )

    def by_rank(theta):
        return {k: "matrices" if v.ndim >= 2 else "vectors" for k, v in theta.items()}

    def two(make, settings):
        groups = {
            "matrices": make(settings["lr"], settings["weight_decay"]),
            "vectors": make(settings["vectors_lr"], settings["vectors_weight_decay"]),
        }
        return optax.multi_transform(groups, by_rank)

    def two_adamw(settings):
        return two(lambda lr, weight_decay: optax.adamw(lr, weight_decay=weight_decay), settings)

    def two_sgd(settings):
        return two(lambda lr, _: optax.sgd(lr, momentum=settings["momentum"]), settings)

    optax_run(
        "groups-optax",
        "optax.multi_transform of two optax.adamw",
        two_adamw(GROUPS),
        {**GROUPS, **BETAS},
        {"rule": "adamw", "decay": "within"},
    )
    masked = {**GROUPS, "vectors_lr": GROUPS["lr"]}
    optax_run(
        "groups-optax-masked",
        "optax.adamw(mask=...)",
        optax.adamw(masked["lr"], weight_decay=masked["weight_decay"], mask=lambda theta: {k: v.ndim >= 2 for k, v in theta.items()}),
        {**masked, **BETAS},
        {"rule": "adamw", "decay": "within"},
    )
    for name, limit in [("always", 1.0), ("often", OFTEN)]:
        optax_run(
            f"groups-optax-global-norm-{name}",
            "optax.clip_by_global_norm, then optax.multi_transform of two optax.sgd with momentum",
            optax.chain(optax.clip_by_global_norm(limit), two_sgd(MOMENTUM)),
            {**MOMENTUM, "max": limit},
            {"rule": "sgd", "clip": "optax_global_norm"},
        )
    optax_run(
        "groups-optax-value",
        "optax.clip, then optax.multi_transform of two optax.sgd with momentum",
        optax.chain(optax.clip(50.0), two_sgd(MOMENTUM)),
        {**MOMENTUM, "limit": 50.0},
        {"rule": "sgd", "clip": "value"},
    )
