//! Every rule of the crate, in the settings that take different ways through its code, with numbers to step on.
//!
//! Whoever adds a rule adds it to one of the two lists of types and to [`every_case`]; `tests/bits.rs` fails until that is done.
#![allow(dead_code)]

use std::fmt::Write;

use moments::schedule::{
    Cooldown, Cosine, CosineRestarts, Exponential, Noam, OneCycle, Polynomial, Schedule, Wsd,
};
use moments::{
    AdaDelta, AdaGrad, Adam, AdamW, Adamax, AmsGrad, BiasCorrection, Clip, Curvature, Decay,
    DecayScale, DiffGrad, Divided, EpsAt, EpsSide, Error, Float, Groups, Lamb, Lars, LarsNorms,
    Lion, LionMode, LrAt, Momentum, NAdam, Optimizer, RAdam, RmsProp, Rule, Sgd, SgdDecay, Storage,
    Tensor, TensorMut, VMax,
};
use moments::{
    AdaHessian, Adafactor, AdjustLr, DecayAt, Muon, MuonAdamW, NsCoefficients, Numerator,
    Preconditioning, ScheduleFreeAdamW, ScheduleFreeForm, ScheduleFreeSgd, Sophia,
};

/// A rule, with what it is fed between steps besides gradients.
pub(crate) trait Fed: Rule {
    /// Gives the optimizer the curvature, if its rule takes any.
    fn feed<T: Float, C: Tensor<Elem = T>>(
        opt: &mut Optimizer<Self, T>,
        curvature: &C,
    ) -> Result<(), Error> {
        let _ = (opt, curvature);
        Ok(())
    }

    /// The same for many tensors.
    fn feed_all<T: Float>(
        opt: &mut Groups<Self, T>,
        curvature: &[Curvature<'_, T>],
    ) -> Result<(), Error> {
        let _ = (opt, curvature);
        Ok(())
    }
}

macro_rules! by_gradients_alone {
    ($($rule:ty),* $(,)?) => {$(impl Fed for $rule {})*};
}

macro_rules! by_curvature_too {
    ($($rule:ty),* $(,)?) => {$(
        impl Fed for $rule {
            fn feed<T: Float, C: Tensor<Elem = T>>(
                opt: &mut Optimizer<Self, T>,
                curvature: &C,
            ) -> Result<(), Error> {
                opt.observe_curvature(curvature)
            }

            fn feed_all<T: Float>(
                opt: &mut Groups<Self, T>,
                curvature: &[Curvature<'_, T>],
            ) -> Result<(), Error> {
                opt.observe_curvature(curvature)
            }
        }
    )*};
}

by_gradients_alone!(
    AdaDelta, AdaGrad, Adam, AdamW, Adamax, AmsGrad, DiffGrad, Lamb, Lars, Lion, NAdam, RAdam,
    RmsProp, Sgd
);
by_gradients_alone!(
    Adafactor,
    Muon,
    MuonAdamW,
    ScheduleFreeAdamW,
    ScheduleFreeSgd
);
by_curvature_too!(AdaHessian, Sophia);

/// What is done with each rule of the table.
pub(crate) trait Visit {
    fn visit<R: Fed>(&mut self, case: &str, rule: R);
}

/// Shows every rule to the visitor, under a name for each setting.
pub(crate) fn every_case(v: &mut impl Visit) {
    let adam = Adam::default();
    v.visit("adam", adam);
    let (eps_root, weight_decay) = (1e-12, 0.01);
    v.visit(
        "adam-other",
        Adam {
            eps_root,
            weight_decay,
            eps_at: EpsAt::Uncorrected,
            bias_correction: BiasCorrection::Second,
            ..adam
        },
    );

    let adamw = AdamW::default();
    v.visit("adamw", adamw);
    v.visit("adamw-optax", AdamW::optax());
    v.visit(
        "adamw-other",
        AdamW {
            eps_root,
            decay: Decay::After,
            decay_scale: DecayScale::Multiplier { peak_lr: 0.01 },
            nesterov: true,
            ..adamw
        },
    );

    for (name, v_max) in [
        ("amsgrad-paper", VMax::Paper),
        ("amsgrad-torch", VMax::Torch),
        ("amsgrad-optax", VMax::Optax),
    ] {
        v.visit(
            name,
            AmsGrad {
                v_max,
                ..AmsGrad::default()
            },
        );
    }

    v.visit(
        "amsgrad-decoupled",
        AmsGrad {
            eps_root,
            bias_correction: BiasCorrection::First,
            weight_decay,
            decoupled_weight_decay: true,
            ..AmsGrad::default()
        },
    );

    let lion = Lion::default();
    v.visit("lion", lion);
    for (name, mode) in [
        ("lion-refined", LionMode::Refined),
        ("lion-smooth", LionMode::Smooth),
    ] {
        v.visit(
            name,
            Lion {
                weight_decay,
                mode,
                ..lion
            },
        );
    }

    v.visit(
        "adadelta",
        AdaDelta {
            weight_decay,
            ..AdaDelta::default()
        },
    );
    v.visit("adagrad", AdaGrad::default());
    v.visit(
        "adagrad-optax",
        AdaGrad {
            lr_decay: 0.1,
            weight_decay,
            ..AdaGrad::optax()
        },
    );
    v.visit(
        "lars",
        Lars {
            lr: 1.0,
            ..Lars::default()
        },
    );
    v.visit(
        "lars-other",
        Lars {
            norms: LarsNorms::Sum,
            lr_at: LrAt::Outside,
            nesterov: true,
            weight_decay,
            eps: 1e-3,
            ..Lars::default()
        },
    );
    v.visit(
        "lars-clipped",
        Lars {
            momentum: 0.9,
            dampening: 0.25,
            weight_decay,
            trust_clip: true,
            ..Lars::timm()
        },
    );
    v.visit("rmsprop", RmsProp::default());
    v.visit(
        "rmsprop-momentum",
        RmsProp {
            momentum: 0.9,
            lr_at: LrAt::Inside,
            ..RmsProp::default()
        },
    );
    v.visit(
        "rmsprop-centered",
        RmsProp {
            eps: 1e-4,
            eps_at: EpsSide::Inside,
            centered: true,
            bias_correction: true,
            ..RmsProp::default()
        },
    );
    v.visit(
        "rmsprop-all",
        RmsProp {
            centered: true,
            momentum: 0.9,
            nesterov: true,
            initial_square: 1.0,
            weight_decay,
            ..RmsProp::default()
        },
    );

    let adamax = Adamax::default();
    v.visit("adamax", adamax);
    v.visit(
        "adamax-decoupled",
        Adamax {
            weight_decay,
            decoupled_weight_decay: true,
            ..adamax
        },
    );

    let nadam = NAdam::default();
    v.visit("nadam", nadam);
    v.visit(
        "nadam-optax",
        NAdam {
            eps_root,
            weight_decay,
            ..NAdam::optax()
        },
    );

    // Five steps, of which the last two are divided.
    let radam = RAdam {
        beta2: 0.9,
        threshold: 4.0,
        ..RAdam::default()
    };
    v.visit("radam", radam);
    v.visit(
        "radam-other",
        RAdam {
            eps_root,
            eps_at: EpsAt::Corrected,
            divided: Divided::AtLeast,
            nesterov: true,
            weight_decay,
            decoupled_weight_decay: true,
            ..radam
        },
    );

    let diffgrad = DiffGrad::default();
    v.visit("diffgrad", diffgrad);
    v.visit(
        "diffgrad-other",
        DiffGrad {
            eps_at: EpsAt::Uncorrected,
            weight_decay,
            ..diffgrad
        },
    );

    let lamb = Lamb::default();
    v.visit("lamb", lamb);
    v.visit(
        "lamb-other",
        Lamb {
            eps_root,
            weight_decay,
            ..lamb
        },
    );

    let sgd = Sgd::default();
    let momentum = Sgd {
        momentum: 0.9,
        ..sgd
    };
    v.visit("sgd", sgd);
    v.visit("sgd-momentum", momentum);
    v.visit(
        "sgd-dampened-decoupled",
        Sgd {
            dampening: 0.5,
            weight_decay,
            decay: SgdDecay::Decoupled,
            ..momentum
        },
    );
    v.visit("sgd-sgdw", Sgd::sgdw());
    v.visit(
        "sgd-nesterov-ema",
        Sgd {
            nesterov: true,
            convention: Momentum::Ema,
            weight_decay,
            ..momentum
        },
    );

    cases_of_shape_average_and_curvature(v);
}

fn cases_of_shape_average_and_curvature(v: &mut impl Visit) {
    let weight_decay = 0.01;
    v.visit("adafactor", Adafactor::default());
    v.visit(
        "adafactor-optax",
        Adafactor {
            beta1: 0.9,
            min_dim_size_to_factor: 2,
            weight_decay,
            ..Adafactor::optax()
        },
    );

    let adahessian = AdaHessian::default();
    v.visit("adahessian", adahessian);
    v.visit(
        "adahessian-power",
        AdaHessian {
            hessian_power: 0.7,
            weight_decay,
            ..adahessian
        },
    );

    v.visit("muon", Muon::default());
    v.visit(
        "muon-adaptive",
        Muon {
            adaptive: true,
            nesterov: false,
            preconditioning: Preconditioning::Schatten,
            adjust_lr: AdjustLr::SpectralUnclamped,
            ..Muon::default()
        },
    );
    v.visit(
        "muon-adamw-optax",
        MuonAdamW {
            muon: Muon {
                ns_coefficients: NsCoefficients::DION,
                preconditioning: Preconditioning::Spectral,
                ..Muon::optax()
            },
            ..MuonAdamW::optax()
        },
    );
    v.visit(
        "muon-adamw-aol",
        MuonAdamW {
            muon: Muon {
                preconditioning: Preconditioning::Aol,
                weight_decay,
                ..Muon::optax()
            },
            adamw_weight_decay: weight_decay,
            ..MuonAdamW::optax()
        },
    );

    let schedule_free = ScheduleFreeAdamW::default();
    let (warmup_steps, r) = (3, 0.5);
    v.visit("schedule-free-adamw", schedule_free);
    v.visit(
        "schedule-free-adamw-paper",
        ScheduleFreeAdamW {
            warmup_steps,
            r,
            weight_decay,
            decay_at: DecayAt::Z,
            ..ScheduleFreeAdamW::paper()
        },
    );
    v.visit(
        "schedule-free-sgd-optax",
        ScheduleFreeSgd {
            lr: 0.01,
            warmup_steps,
            weight_decay,
            form: ScheduleFreeForm::Optax,
            ..ScheduleFreeSgd::default()
        },
    );

    v.visit("sophia", Sophia::default());
    v.visit(
        "sophia-paper",
        Sophia {
            momentum: Numerator::Uncorrected,
            clip: f64::INFINITY,
            eps: 1e-3,
            ..Sophia::default()
        },
    );
}

/// A number in (-1, 1) that depends on these three alone (splitmix64).
pub(crate) fn uniform(stream: u64, t: u64, i: usize) -> f64 {
    let z = (i as u64 + (stream << 48) + (t << 32) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let z = z ^ (z >> 31);
    (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// Six decades below 1 and three above; the last entry of each nine never has a gradient.
const SCALES: [f64; 9] = [1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e3, 1e-3, 1.0, 0.0];

/// The parameters before the first step.
pub(crate) fn start<T: Float>(n: usize) -> Vec<T> {
    (0..n).map(|i| T::of(uniform(0, 0, i))).collect()
}

/// The gradient of step `t`, from 1.
pub(crate) fn gradient<T: Float>(t: u64, n: usize) -> Vec<T> {
    (0..n)
        .map(|i| T::of(uniform(1, t, i) * SCALES[i % 9]))
        .collect()
}

/// The curvature after step `t`; a few entries are negative.
pub(crate) fn curvature<T: Float>(t: u64, n: usize) -> Vec<T> {
    (0..n)
        .map(|i| T::of((uniform(2, t, i) + 0.7) * SCALES[i % 9]))
        .collect()
}

/// A tensor of any shape that owns its entries in row-major order, for tests that do without `ndarray`.
#[derive(Clone, Debug)]
pub(crate) struct Shaped<T> {
    pub(crate) shape: Vec<usize>,
    pub(crate) entries: Vec<T>,
}

impl<T: Float> Shaped<T> {
    pub(crate) fn new(shape: &[usize], entries: Vec<T>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), entries.len());
        Self {
            shape: shape.to_vec(),
            entries,
        }
    }
}

impl<T: Float> Tensor for Shaped<T> {
    type Elem = T;
    fn rank(&self) -> usize {
        self.shape.len()
    }
    fn dim(&self, axis: usize) -> usize {
        self.shape[axis]
    }
    fn as_contiguous(&self) -> Option<&[T]> {
        Some(&self.entries)
    }
    fn append_to(&self, out: &mut Vec<T>) {
        out.extend_from_slice(&self.entries);
    }
}

impl<T: Float> TensorMut for Shaped<T> {
    fn as_contiguous_mut(&mut self) -> Option<&mut [T]> {
        Some(&mut self.entries)
    }
    fn copy_from(&mut self, values: &[T]) {
        self.entries.copy_from_slice(values);
    }
}

/// How the steps of a run are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// With `step` and nothing else.
    Plain,
    /// Clipped by its norm, and measured; the measures count as results.
    Clipped,
    /// Clipped by value, with state in 16 bits.
    Bf16,
    /// With state in 8 bits.
    Bits8,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::Clipped, Self::Bf16, Self::Bits8];

    pub(crate) fn optimizer<R: Rule, T: Float>(self, rule: R) -> Optimizer<R, T> {
        let storage = match self {
            Self::Plain | Self::Clipped => Storage::Full,
            Self::Bf16 => Storage::Bf16,
            Self::Bits8 => Storage::Bits8,
        };
        let mut opt = Optimizer::with_storage(rule, storage);
        opt.clip = match self {
            Self::Plain | Self::Bits8 => None,
            Self::Clipped => Some(Clip::torch_norm(0.5)),
            Self::Bf16 => Some(Clip::Value { limit: 10.0 }),
        };
        opt
    }

    pub(crate) fn is_reduced(self) -> bool {
        matches!(self, Self::Bf16 | Self::Bits8)
    }

    /// One step; the measures are added to the digest if this way takes them.
    pub(crate) fn step<R: Rule, T: Float, P: TensorMut<Elem = T>, G: Tensor<Elem = T>>(
        self,
        opt: &mut Optimizer<R, T>,
        params: &mut P,
        grad: &G,
        digest: &mut Digest,
    ) -> Result<(), Error> {
        if self != Self::Clipped {
            return opt.step(params, grad);
        }
        let measures = opt.step_measured(params, grad)?;
        digest.add(measures.clip_factor);
        digest.add(measures.grad_norm);
        digest.add(measures.param_norm);
        digest.add(measures.update_norm);
        Ok(())
    }
}

/// A 64-bit hash of numbers, in order.
///
/// A product moves differences upwards alone; the shift brings them down again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(pub(crate) u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    pub(crate) fn add(&mut self, x: f64) {
        // The bits of a NaN are not the same everywhere; in these runs there is none.
        assert!(!x.is_nan());
        let mixed = (self.0 ^ x.to_bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }

    pub(crate) fn add_values<T: Float>(&mut self, values: &[T]) {
        for x in values {
            self.add(x.to_f64());
        }
    }

    /// Everything that a run leaves behind: parameters, state and scalars.
    pub(crate) fn add_all<R: Rule, T: Float>(&mut self, theta: &[T], opt: &Optimizer<R, T>) {
        self.add_values(theta);
        for name in opt.state_names() {
            self.add_values(&opt.state_decoded(name).unwrap());
        }
        for (name, _) in opt.rule.scalars() {
            self.add(opt.scalar(name).unwrap());
        }
    }
}

/// What the steps of a run are done on; made once for all the runs that are compared.
pub(crate) struct Numbers<T> {
    pub(crate) start: Shaped<T>,
    /// The gradient of each step, and the curvature after it.
    pub(crate) steps: Vec<(Shaped<T>, Shaped<T>)>,
}

impl<T: Float> Numbers<T> {
    pub(crate) fn new(shape: &[usize], steps: u64) -> Self {
        let n = shape.iter().product();
        let shaped = |entries| Shaped::new(shape, entries);
        Self {
            start: shaped(start(n)),
            steps: (1..=steps)
                .map(|t| (shaped(gradient(t, n)), shaped(curvature(t, n))))
                .collect(),
        }
    }

    /// A hash of what the steps lead to; `None` if the rule cannot go this way.
    pub(crate) fn digest<R: Fed>(&self, rule: R, way: Way) -> Option<Digest> {
        let mut digest = Digest::new();
        let mut theta = self.start.clone();
        let mut opt = way.optimizer(rule);
        for (grad, curvature) in &self.steps {
            match way.step(&mut opt, &mut theta, grad, &mut digest) {
                Err(Error::Storage { .. }) if way.is_reduced() => return None,
                result => result.unwrap(),
            }
            R::feed(&mut opt, curvature).unwrap();
        }
        digest.add_all(&theta.entries, &opt);
        Some(digest)
    }
}

/// The shapes of about `n` entries that a rule is run on: a vector if it takes one, and a matrix if it looks at the whole tensor.
pub(crate) fn shapes<R: Rule>(rule: &R, n: usize) -> Vec<Vec<usize>> {
    let rows = n.min(12);
    let mut shapes = vec![vec![n]];
    if R::WHOLE {
        shapes.push(vec![rows, n / rows]);
    }
    shapes.retain(|shape| rule.check_shape(shape).is_ok());
    assert!(!shapes.is_empty(), "{rule:?} takes neither");
    shapes
}

/// The recorded text: one line for each case, type, way and shape.
pub(crate) fn fingerprints() -> String {
    let mut lines = Lines(String::from(HEADER));
    every_case(&mut lines);
    for (name, schedule) in schedules() {
        let mut digest = Digest::new();
        digest.add_values(&schedule.values(300));
        writeln!(lines.0, "{name} f64 values 300 {:016x}", digest.0).unwrap();
    }
    lines.0
}

/// A schedule for each function of more than the four operations.
fn schedules() -> Vec<(&'static str, Box<dyn Schedule>)> {
    let (lr, steps) = (0.1, 250);
    let cooldown_shape = Cooldown::Cosine;
    vec![
        ("cosine", Box::new(Cosine::new(lr, steps).warmup(20))),
        ("cosine-restarts", Box::new(CosineRestarts::new(lr, 70))),
        (
            "exponential",
            Box::new(Exponential {
                lr,
                gamma: 0.97,
                every: 1,
            }),
        ),
        ("inverse-sqrt", Box::new(Noam::paper())),
        ("one-cycle", Box::new(OneCycle::torch(lr, steps))),
        ("polynomial", Box::new(Polynomial::new(lr, 0.9, steps))),
        (
            "wsd",
            Box::new(Wsd {
                cooldown_shape,
                ..Wsd::new(lr, 20, 150, 80)
            }),
        ),
    ]
}

const HEADER: &str = "\
# A hash of parameters, state and measures after five steps, for every rule, and of the values of schedules: the same on every machine, in every build profile and in WebAssembly.
# command: MOMENTS_WRITE_BITS=1 cargo test -p moments --test bits
# case type way shape hash
";

struct Lines(String);

impl Lines {
    fn line<R: Fed, T: Float>(&mut self, case: &str, kind: &str, rule: R) {
        for way in Way::ALL {
            for shape in shapes(&rule, 2100) {
                let numbers = Numbers::<T>::new(&shape, 5);
                let Some(Digest(hash)) = numbers.digest(rule, way) else {
                    continue;
                };
                let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
                let shape = shape.join("x");
                let way = format!("{way:?}").to_lowercase();
                writeln!(self.0, "{case} {kind} {way} {shape} {hash:016x}").unwrap();
            }
        }
    }
}

impl Visit for Lines {
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        self.line::<R, f32>(case, "f32", rule);
        self.line::<R, f64>(case, "f64", rule);
    }
}
