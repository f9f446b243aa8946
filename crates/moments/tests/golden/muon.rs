use crate::harness::{self, Outcome, Run};
use moments::{AdjustLr, Muon, MuonAdamW, MuonForm, NsCoefficients, Preconditioning};

pub(crate) fn follow(run: &Run) -> Outcome {
    let form = match run.option("form") {
        "torch" => Muon::torch(),
        "optax" => Muon::optax(),
        other => panic!("{}: form {other}", run.name),
    };
    let muon = Muon {
        lr: run.set("lr"),
        momentum: run.set("momentum"),
        nesterov: run.option("nesterov") == "True",
        ns_coefficients: match run.option("preset") {
            "dion" => NsCoefficients::DION,
            _ => NsCoefficients::Same([run.set("a"), run.set("b"), run.set("c")]),
        },
        ns_steps: run.set("ns_steps") as u64,
        eps: run.set("eps"),
        preconditioning: match run.option("preconditioning") {
            "" | "frobenius" => Preconditioning::Frobenius,
            "spectral" => Preconditioning::Spectral,
            "aol" => Preconditioning::Aol,
            "schatten" => Preconditioning::Schatten,
            other => panic!("{}: preconditioning {other}", run.name),
        },
        adaptive: run.option("adaptive") == "True",
        adjust_lr: match run.option("adjust_lr") {
            "original" => AdjustLr::Original,
            "transposed" => AdjustLr::Transposed,
            "spectral_unclamped" => AdjustLr::SpectralUnclamped,
            "match_rms_adamw" => AdjustLr::ConsistentRms { rms: 0.2 },
            "rms" => AdjustLr::ConsistentRms {
                rms: run.set("rms"),
            },
            other => panic!("{}: adjust_lr {other}", run.name),
        },
        weight_decay: run.set("weight_decay"),
        ..form
    };
    if muon.form == MuonForm::Torch {
        return harness::follow(muon, run);
    }
    let rule = MuonAdamW {
        muon,
        adamw_lr_scale: run.set("adamw_lr") / muon.lr,
        adamw_beta1: run.set("adamw_beta1"),
        adamw_beta2: run.set("adamw_beta2"),
        adamw_eps: muon.eps,
        adamw_eps_root: run.set("adamw_eps_root"),
        adamw_weight_decay: run.set("adamw_weight_decay"),
        adamw_nesterov: muon.nesterov,
    };
    harness::follow(rule, run)
}
