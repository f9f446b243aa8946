"""Golden runs of RMSProp: PyTorch and optax, with every combination of centring and momentum.

The bias-corrected variance of the first gradient alone is 0 in real arithmetic and rounding noise in floating point.
The centred run with bias correction is therefore of one coordinate whose eps is far above that noise.
"""

import common

BASE = {"lr": 0.01, "alpha": 0.99, "eps": 1e-8}
OTHER = {"lr": 0.02, "alpha": 0.9, "eps": 1e-3}


def falling(t):
    return 0.02 * (1 - (t - 1) / 200)


with common.File("rmsprop") as file:
    import optax
    import torch

    def torch_rmsprop(settings, **options):
        return lambda params: torch.optim.RMSprop(params, foreach=False, **settings, **options)

    def scheduled(settings, **options):
        """PyTorch's, with a rate that falls from step to step."""

        def build(params):
            opt = torch.optim.RMSprop(params, foreach=False, **settings, **options)
            step, count = opt.step, [0]

            def step_with_rate():
                count[0] += 1
                opt.param_groups[0]["lr"] = falling(count[0])
                step()

            opt.step = step_with_rate
            return opt

        return build

    for centered in (False, True):
        for momentum in (0.0, 0.9):
            name = ("centered-" if centered else "") + ("momentum" if momentum else "plain")
            state = {"square_avg": "square_avg"}
            if centered:
                state["grad_avg"] = "grad_avg"
            if momentum:
                state["momentum_buffer"] = "momentum_buffer"
            settings = {**BASE, "momentum": momentum}
            ours = {"centered": str(centered).lower()}
            source = f"torch.optim.RMSprop(momentum={momentum}, centered={centered})"
            build = torch_rmsprop(BASE, momentum=momentum, centered=centered)
            file.torch(f"rmsprop-torch-{name}", source, build, settings, ours,
                       shape=(65,) if centered else (1023,), state=state)
            file.torch(f"rmsprop-torch-{name}-f32", source, build, settings, ours, shape=(9,), state=state, dtype="f32")
    file.torch("rmsprop-torch-decay", "torch.optim.RMSprop(lr=0.02, alpha=0.9, eps=1e-3, weight_decay=0.1)",
               torch_rmsprop(OTHER, weight_decay=0.1), {**OTHER, "weight_decay": 0.1}, shape=(65,),
               state={"square_avg": "square_avg"})
    file.torch("rmsprop-torch-schedule", "torch.optim.RMSprop(momentum=0.9) with a falling rate",
               scheduled(OTHER, momentum=0.9), {**OTHER, "momentum": 0.9}, {"schedule": "falling"}, shape=(65,),
               state={"square_avg": "square_avg", "momentum_buffer": "momentum_buffer"})

    def optax_rmsprop(rate=0.02, decay=0.9, eps=1e-3, **options):
        return optax.rmsprop(rate, decay=decay, eps=eps, **options)

    for name, given, settings, ours in [
        ("defaults", {"decay": 0.9, "eps": 1e-8}, {"eps": 1e-8}, {"eps_at": "inside"}),
        ("outside", {"eps_in_sqrt": False}, {}, {}),
        ("initial", {"initial_scale": 1.0}, {"initial_square": 1.0}, {"eps_at": "inside"}),
        ("corrected", {"bias_correction": True, "eps_in_sqrt": False}, {}, {"bias_correction": "true"}),
        ("centered", {"centered": True}, {}, {"eps_at": "inside", "centered": "true"}),
        ("centered-outside", {"centered": True, "eps_in_sqrt": False}, {}, {"centered": "true"}),
        ("momentum", {"momentum": 0.9}, {"momentum": 0.9}, {"eps_at": "inside", "lr_at": "inside"}),
        ("nesterov", {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9},
         {"eps_at": "inside", "lr_at": "inside", "nesterov": "true"}),
        ("centered-nesterov", {"momentum": 0.9, "nesterov": True, "centered": True}, {"momentum": 0.9},
         {"eps_at": "inside", "lr_at": "inside", "nesterov": "true", "centered": "true"}),
    ]:
        shown = "".join(f", {key}={value}" for key, value in given.items())
        file.optax(f"rmsprop-optax-{name}", f"optax.rmsprop(0.02{shown})", optax_rmsprop(**given),
                   {**OTHER, **settings}, ours, shape=(1023,) if name == "defaults" else (65,))
    file.optax("rmsprop-optax-centered-corrected", "optax.rmsprop(0.02, eps=1e-4, centered=True, bias_correction=True)",
               optax_rmsprop(eps=1e-4, centered=True, bias_correction=True), {**OTHER, "eps": 1e-4},
               {"eps_at": "inside", "centered": "true", "bias_correction": "true"}, shape=(1,))
    file.optax("rmsprop-optax-schedule", "optax.rmsprop with momentum and a falling rate",
               optax_rmsprop(rate=lambda count: falling(count.astype("float64") + 1), momentum=0.9), {**OTHER, "momentum": 0.9},
               {"eps_at": "inside", "lr_at": "inside", "schedule": "falling"}, shape=(65,))
