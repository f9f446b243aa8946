//! State that is saved, restored and continued.

mod table;

use moments::{
    Adam, AmsGrad, CurvatureRule, Dtype, Error, Float, Groups, Initial, MAX_STATE, Optimizer,
    Param, ParameterState, Rule, Sgd, Snapshot, StateTensor, Step, Storage, Tensor,
};
use std::ops::Range;
use table::{Digest, Fed, Shaped, Visit, Way};

/// A rule with everything that a record must hold: a number, a tensor of a shape of its own, one that starts as the parameters.
#[derive(Clone, Copy, Debug)]
struct RowMeans;

impl Rule for RowMeans {
    const WHOLE: bool = true;

    fn name(&self) -> &'static str {
        "row means"
    }
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }
    fn lr(&self) -> f64 {
        1.0
    }
    fn set_lr(&mut self, _lr: f64) {}
    fn check_shape(&self, shape: &[usize]) -> Result<(), Error> {
        let error = Error::UnsupportedShape {
            rule: "row means",
            shape: shape.to_vec(),
            expected: "at most three axes",
        };
        if shape.len() > 3 { Err(error) } else { Ok(()) }
    }
    fn state_names(&self, shape: &[usize]) -> &'static [&'static str] {
        if shape.len() == 2 {
            &["row_mean", "start", "ones"]
        } else {
            &["start"]
        }
    }
    fn state_shape(&self, name: &str, shape: &[usize]) -> Vec<usize> {
        match name {
            "row_mean" => vec![shape[0], 1],
            _ => shape.to_vec(),
        }
    }
    fn initial(&self, name: &str) -> Initial {
        match name {
            "start" => Initial::Params,
            "ones" => Initial::Value(1.0),
            _ => Initial::Zero,
        }
    }
    fn is_non_negative(&self, name: &str) -> bool {
        name == "row_mean"
    }
    fn scalars(&self) -> &'static [(&'static str, f64)] {
        &[("weight_sum", 1.0), ("last", 0.5)]
    }
    fn advance(&self, t: u64, scalars: &mut [f64]) {
        scalars[0] += 1.0 / t as f64;
        scalars[1] = (scalars[0] * 1.1).sin();
    }
    fn step<T: Float>(&self, step: Step<'_, T>) {
        let weight = T::of(step.scalars[1] / step.scalars[0]);
        let [first, second, ..] = step.state;
        let start: &[T] = if step.shape.len() == 2 {
            let width = step.shape[1];
            for (mean, row) in first.iter_mut().zip(step.grad.chunks(width)) {
                *mean += row.iter().fold(T::default(), |sum, g| sum + g.abs());
            }
            for (theta, mean) in step.theta.chunks_mut(width).zip(&*first) {
                for x in theta {
                    *x -= weight * *mean;
                }
            }
            second
        } else {
            first
        };
        for ((theta, &g), &start) in step.theta.iter_mut().zip(step.grad).zip(start) {
            *theta -= weight * (g + start);
        }
    }
}

/// The record after each way out and in again.
fn round_trips(snapshot: &Snapshot) -> [Snapshot; 3] {
    let json = serde_json::to_string(snapshot).unwrap();
    let bytes = snapshot.to_safetensors().unwrap();
    [
        snapshot.clone(),
        serde_json::from_str(&json).unwrap(),
        Snapshot::from_safetensors(&bytes).unwrap(),
    ]
}

/// Everything that a step changes, bit by bit.
fn bits<T: Float>(theta: &Shaped<T>) -> Vec<u64> {
    let bits = |x: &T| x.to_f64().to_bits();
    theta.entries.iter().map(bits).collect()
}

/// When a state is taken.
#[derive(Clone, Copy, Debug)]
enum Halt {
    /// After so many steps.
    After(u64),
    /// Before the first step, when the curvature has been observed.
    Observed,
}

/// A state that is taken on the way, however it is carried over, continues with the bits of a run without a halt.
fn continues<R: Fed, T: Float>(case: &str, rule: R, way: Way, shape: &[usize], halt: Halt) {
    let what = format!("{case} {way:?} {} {shape:?} {halt:?}", Dtype::of::<T>());
    let n = shape.iter().product();
    let shaped = |entries| Shaped::<T>::new(shape, entries);
    let advance = |opt: &mut Optimizer<R, T>, theta: &mut Shaped<T>, steps: Range<u64>| {
        for t in steps {
            let grad = shaped(table::gradient(t, n));
            way.step(opt, theta, &grad, &mut Digest::new())?;
            R::feed(opt, &shaped(table::curvature(t, n))).unwrap();
        }
        Ok(())
    };

    let mut theta = shaped(table::start(n));
    let mut whole = way.optimizer(rule);
    let halt = match halt {
        Halt::After(t) => t,
        Halt::Observed if way.is_reduced() => return,
        Halt::Observed => {
            R::feed(&mut whole, &shaped(table::curvature(0, n))).unwrap();
            0
        }
    };
    match advance(&mut whole, &mut theta, 1..halt + 1) {
        Err(Error::Storage { .. }) if way.is_reduced() => return,
        result => result.unwrap(),
    }
    let (halted, snapshot) = (theta.clone(), whole.snapshot());
    let end = halt + 4;
    match advance(&mut whole, &mut theta, halt + 1..end) {
        Err(Error::Storage { .. }) if way.is_reduced() => return,
        result => result.unwrap(),
    }
    for carried in round_trips(&snapshot) {
        assert_eq!(carried, snapshot, "{what}");
        let mut other = way.optimizer(rule);
        other.restore(&carried).unwrap();
        assert_eq!(other.snapshot(), snapshot, "{what}");
        let mut theirs = halted.clone();
        advance(&mut other, &mut theirs, halt + 1..end).unwrap();
        assert_eq!(bits(&theirs), bits(&theta), "{what}");
        assert_eq!(other.snapshot(), whole.snapshot(), "{what}");
    }
}

struct Continues;

impl Visit for Continues {
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        let mut shapes = table::shapes(&rule, 40);
        shapes.extend([vec![], vec![0], vec![2, 3, 4]]);
        shapes.retain(|shape| rule.check_shape(shape).is_ok());
        for halt in [
            Halt::After(0),
            Halt::Observed,
            Halt::After(1),
            Halt::After(3),
        ] {
            for shape in &shapes {
                for way in [Way::Plain, Way::Clipped] {
                    continues::<R, f32>(case, rule, way, shape, halt);
                    continues::<R, f64>(case, rule, way, shape, halt);
                }
            }
            for way in [Way::Bf16, Way::Bits8] {
                // More than a block of the codes that share a scale.
                for shape in table::shapes(&rule, 300) {
                    continues::<R, f32>(case, rule, way, &shape, halt);
                    continues::<R, f64>(case, rule, way, &shape, halt);
                }
            }
        }
    }
}

impl CurvatureRule for RowMeans {
    fn observe<T: Float>(&self, t: u64, curvature: &[T], [first, ..]: [&mut [T]; MAX_STATE]) {
        for (entry, &h) in first.iter_mut().zip(curvature) {
            *entry += h.abs() * T::of(1.0 / (t + 1) as f64);
        }
    }
}

impl Fed for RowMeans {
    fn feed<T: Float, C: Tensor<Elem = T>>(
        opt: &mut Optimizer<Self, T>,
        curvature: &C,
    ) -> Result<(), Error> {
        opt.observe_curvature(curvature)
    }
}

#[test]
fn every_rule_continues_with_the_same_bits() {
    table::every_case(&mut Continues);
    Continues.visit("row-means", RowMeans);
}

#[test]
fn a_state_with_infinities_and_payloads_keeps_every_bit() {
    let odd = [
        0x7FF0_0000_0000_0000,
        0xFFF8_0000_0000_1234,
        0x8000_0000_0000_0000,
        1,
    ];
    let odd = odd.map(f64::from_bits);
    let record = Snapshot::from(
        ParameterState::new::<f64>("Adam", 3, &[4])
            .tensor("exp_avg", &odd)
            .tensor("exp_avg_sq", &[0.0, f64::NAN, -0.0, f64::INFINITY]),
    );
    for carried in round_trips(&record) {
        let mut opt = Optimizer::<_, f64>::new(Adam::default());
        opt.restore(&carried).unwrap();
        let kept = opt.state("exp_avg").unwrap();
        assert!(
            kept.iter()
                .zip(odd)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
        assert_eq!(opt.snapshot(), record);
    }
    // The same for f32, whose quiet and signalling NaNs a conversion to f64 and back would not tell apart.
    let odd = [0x7F80_0001, 0xFFC0_1234, 0x8000_0000, 1].map(f32::from_bits);
    let record = ParameterState::new::<f32>("SGD", 3, &[4]).tensor("momentum_buffer", &odd);
    let found = record.tensors[0].values::<f32>().unwrap();
    assert!(
        found
            .iter()
            .zip(odd)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    );
}

#[test]
fn numbers_keep_every_bit_through_text() {
    let values = [
        0.1,
        1.0 / 3.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        -0.0,
        2.0_f64.powi(60) + 256.0,
    ];
    for value in values {
        let record = Snapshot::from(ParameterState::new::<f64>("x", 1, &[]).scalar("s", value));
        for carried in round_trips(&record) {
            let found = carried.parameters[0].scalars[0].1;
            assert_eq!(found.to_bits(), value.to_bits());
        }
    }
}

#[test]
fn hyperparameters_are_not_part_of_the_state() {
    let mut opt = Optimizer::<_, f64>::new(Adam::default());
    opt.step(&mut [1.0], &[1.0]).unwrap();
    let mut other = Optimizer::<_, f64>::new(Adam {
        lr: 0.25,
        beta1: 0.5,
        ..Adam::default()
    });
    other.clip = Some(moments::Clip::Value { limit: 3.0 });
    other.check_finite = false;
    let (rule, clip) = (other.rule, other.clip);
    other.restore(&opt.snapshot()).unwrap();
    assert_eq!(
        (other.rule, other.clip, other.check_finite),
        (rule, clip, false)
    );
}

#[test]
fn an_option_that_was_turned_on_after_the_last_step_is_in_the_record() {
    let mut opt = Optimizer::<_, f64>::new(Sgd::default());
    let mut theta = [1.0, 2.0];
    opt.step(&mut theta, &[0.5, 0.25]).unwrap();
    assert!(opt.snapshot().parameters[0].tensors.is_empty());
    opt.rule.momentum = 0.9;
    let mut other = Optimizer::new(opt.rule);
    other.restore(&opt.snapshot()).unwrap();
    let mut theirs = theta;
    opt.step(&mut theta, &[0.5, 0.25]).unwrap();
    other.step(&mut theirs, &[0.5, 0.25]).unwrap();
    assert_eq!(theirs, theta);
    // And one that was turned off is not.
    opt.rule.momentum = 0.0;
    assert!(opt.snapshot().parameters[0].tensors.is_empty());
}

#[test]
fn a_record_before_the_first_step_makes_an_optimizer_as_good_as_new() {
    let fresh = Optimizer::<_, f64>::new(Adam::default()).snapshot();
    assert_eq!(
        fresh.parameters,
        [ParameterState::new::<f64>("Adam", 0, &[])]
    );
    let mut opt = Optimizer::<_, f64>::new(Adam::default());
    opt.step(&mut [1.0], &[1.0]).unwrap();
    opt.restore(&fresh).unwrap();
    assert_eq!((opt.t(), opt.state("exp_avg")), (0, None));
    opt.step(&mut [1.0, 2.0], &[1.0, 2.0]).unwrap();
}

/// The state of Adam after three steps.
fn adam() -> ParameterState {
    ParameterState::new::<f32>("Adam", 3, &[2])
        .tensor("exp_avg", &[1.0_f32, -1.0])
        .tensor("exp_avg_sq", &[1.0_f32, 0.5])
}

/// Restoring this fails with this message and changes nothing.
#[track_caller]
fn refuses<R: Rule>(rule: R, storage: Storage, snapshot: &Snapshot, expected: &str) {
    let mut opt = Optimizer::<_, f32>::with_storage(rule, storage);
    for steps in 0..2 {
        if steps == 1 {
            opt.step(&mut [1.0, 2.0], &[0.5, -0.5]).unwrap();
        }
        let before = opt.snapshot();
        let error = opt.restore(snapshot).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(opt.snapshot(), before);
    }
}

#[track_caller]
fn adam_refuses(change: impl FnOnce(&mut ParameterState), expected: &str) {
    let mut state = adam();
    change(&mut state);
    refuses(Adam::default(), Storage::Full, &state.into(), expected);
}

#[test]
fn a_record_of_another_version_rule_type_or_number_of_parameters_is_refused() {
    let mut snapshot = Snapshot::from(adam());
    snapshot.version = 2;
    refuses(
        Adam::default(),
        Storage::Full,
        &snapshot,
        "the snapshot has version 2, but this version of moments knows version 1 alone: \
         load it with the version that wrote it",
    );
    adam_refuses(
        |state| state.rule = "Lion".into(),
        "the state is that of the rule \"Lion\", but the optimizer's rule is \"Adam\": \
         restore it into an optimizer of the rule that wrote it",
    );
    adam_refuses(
        |state| state.dtype = Dtype::F64,
        "the parameters: entries are f64, but the optimizer keeps f32: \
         make the optimizer with the type and the storage that the snapshot was taken with",
    );
    for (parameters, found) in [
        (vec![], "0 parameter tensors []"),
        (
            vec![adam(), adam().named("b")],
            "2 parameter tensors [\"\", \"b\"]",
        ),
    ] {
        refuses(
            Adam::default(),
            Storage::Full,
            &Snapshot::new(parameters),
            &format!(
                "the snapshot holds {found}, but an Optimizer steps one: restore one of them (`Snapshot::parameter`)"
            ),
        );
    }
}

#[test]
fn one_of_many_parameters_is_restored_by_name() {
    let snapshot = Snapshot::new(vec![
        adam().named("bias"),
        ParameterState::new::<f32>("Adam", 7, &[1])
            .named("weight")
            .tensor("exp_avg", &[0.5_f32])
            .tensor("exp_avg_sq", &[0.25_f32]),
    ]);
    assert!(snapshot.parameter("weights").is_none());
    let mut opt = Optimizer::<_, f32>::new(Adam::default());
    let weight = snapshot.parameter("weight").unwrap().clone();
    opt.restore(&weight.into()).unwrap();
    assert_eq!((opt.t(), opt.state("exp_avg")), (7, Some(&[0.5][..])));
}

#[test]
fn tensors_are_matched_by_name_and_never_by_order() {
    let mut state = adam();
    state.tensors.reverse();
    let mut opt = Optimizer::<_, f32>::new(Adam::default());
    opt.restore(&state.into()).unwrap();
    assert_eq!(opt.state("exp_avg"), Some(&[1.0, -1.0][..]));
    assert_eq!(opt.snapshot(), adam().into());
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    adam_refuses(
        |state| state.tensors.truncate(1),
        "the tensor `exp_avg_sq` is missing: take the snapshot from an optimizer with the same options",
    );
    adam_refuses(
        |state| {
            state
                .tensors
                .push(StateTensor::new("z", &[2], &[0.0_f32; 2]));
        },
        "the tensor `z` is unknown to the rule \"Adam\", which keeps [\"exp_avg\", \"exp_avg_sq\"]: \
         restore it into an optimizer with the options that the snapshot was taken with",
    );
    // Scales belong to state in 8 bits alone.
    adam_refuses(
        |state| {
            let scales = StateTensor::new("exp_avg.scales", &[1], &[0.0_f32]);
            state.tensors.push(scales);
        },
        "the tensor `exp_avg.scales` is unknown to the rule \"Adam\", which keeps [\"exp_avg\", \"exp_avg_sq\"]: \
         restore it into an optimizer with the options that the snapshot was taken with",
    );
    adam_refuses(
        |state| state.tensors.push(state.tensors[0].clone()),
        "the tensor `exp_avg` is given twice: give every name once",
    );
    adam_refuses(
        |state| state.tensors[1].shape = vec![1, 2],
        "the tensor `exp_avg_sq`: the shape is [1, 2], but must be [2]: restore the state of parameters of this shape",
    );
    adam_refuses(
        |state| state.tensors[0] = StateTensor::new("exp_avg", &[2], &[0.0_f64; 2]),
        "the tensor `exp_avg`: entries are f64, but the optimizer keeps f32: \
         make the optimizer with the type and the storage that the snapshot was taken with",
    );
    for (length, cut) in [(7, 7), (9, 9)] {
        adam_refuses(
            |state| state.tensors[0].bytes.resize(length, 0),
            &format!(
                "the tensor `exp_avg` has {cut} bytes, but its type and shape need 8: \
                 pass one entry per element of the shape, or use another copy if the snapshot is damaged"
            ),
        );
    }
    adam_refuses(
        |state| state.tensors[1] = StateTensor::new("exp_avg_sq", &[2], &[0.5_f32, -0.25]),
        "the tensor `exp_avg_sq`: entry 1 is -0.25, but no entry can be negative: \
         the snapshot is damaged, use another copy",
    );
    adam_refuses(
        |state| state.tensors[1].shape = vec![1 << 40, 1 << 40],
        "the tensor `exp_avg_sq`: [1099511627776, 1099511627776] has more entries than memory: \
         the snapshot is damaged, use another copy",
    );
}

#[test]
fn a_state_of_other_parameters_is_refused_by_an_optimizer_that_has_stepped() {
    let mut opt = Optimizer::<_, f32>::new(Adam::default());
    opt.step(&mut [1.0, 2.0, 3.0], &[0.5; 3]).unwrap();
    let before = opt.snapshot();
    assert_eq!(
        opt.restore(&adam().into()).unwrap_err().to_string(),
        "the parameters: the shape is [2], but must be [3]: restore the state of parameters of this shape"
    );
    assert_eq!(opt.snapshot(), before);
}

#[test]
fn a_shape_beyond_memory_is_refused_without_making_it() {
    for shape in [vec![usize::MAX], vec![1 << 32, 1 << 32], vec![0, 1 << 62]] {
        let message = format!(
            "the shape: {shape:?} has more entries than memory: the snapshot is damaged, use another copy"
        );
        adam_refuses(|state| state.shape = shape, &message);
    }
    // A shape that memory could hold needs its bytes.
    adam_refuses(
        |state| state.shape = vec![1 << 50],
        "the tensor `exp_avg`: the shape is [2], but must be [1125899906842624]: \
         restore the state of parameters of this shape",
    );
}

#[test]
fn counters_that_cannot_be_are_refused() {
    adam_refuses(
        |state| state.t = 0,
        "there is state although `t` is 0: set `t` to the number of steps done, or leave the state out",
    );
    adam_refuses(
        |state| state.t = u64::MAX,
        "`t` is 18446744073709551615, but must be at most 2⁵³: the snapshot is damaged, use another copy",
    );
    let mut opt = Optimizer::<_, f32>::new(Adam::default());
    let last = ParameterState {
        t: 1 << 53,
        ..adam()
    };
    opt.restore(&last.into()).unwrap();
    opt.step(&mut [1.0, 2.0], &[0.5, -0.5]).unwrap();
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    let state = |t, scalars: &[(&str, f64)]| {
        let record =
            ParameterState::new::<f32>("row means", t, &[2]).tensor("start", &[0.0_f32; 2]);
        let add = |record: ParameterState, &(name, x): &(&str, f64)| record.scalar(name, x);
        Snapshot::from(scalars.iter().fold(record, add))
    };
    let refuses = |t, scalars: &[(&str, f64)], expected: &str| {
        let mut opt = Optimizer::<_, f32>::new(RowMeans);
        let error = opt.restore(&state(t, scalars)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!((opt.t(), opt.scalar("last")), (0, None));
    };
    for (value, name) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (-f64::INFINITY, "-inf"),
    ] {
        refuses(
            1,
            &[("weight_sum", 2.0), ("last", value)],
            &format!(
                "the number `last` is {name}, but must be finite: the snapshot is damaged, use another copy"
            ),
        );
    }
    refuses(
        1,
        &[("weight_sum", 2.0)],
        "the number `last` is missing: take the snapshot from an optimizer with the same options",
    );
    refuses(
        1,
        &[("weight_sum", 2.0), ("last", 1.0), ("lost", 1.0)],
        "the number `lost` is unknown to the rule \"row means\", which keeps [\"weight_sum\", \"last\"]: \
         restore it into an optimizer with the options that the snapshot was taken with",
    );
    refuses(
        1,
        &[("weight_sum", 2.0), ("last", 1.0), ("last", 1.0)],
        "the number `last` is given twice: give every name once",
    );
    // Where the curvature has been observed before the first step, the numbers have not moved yet.
    let observed = |last| {
        let mut snapshot = state(0, &[("weight_sum", 1.0), ("last", last)]);
        snapshot.parameters[0].observed = true;
        Optimizer::<_, f32>::new(RowMeans).restore(&snapshot)
    };
    observed(0.5).unwrap();
    assert_eq!(
        observed(0.25).unwrap_err().to_string(),
        "the number `last` is 0.25, but must be 0.5 before the first step: the snapshot is damaged, use another copy"
    );
    let mut opt = Optimizer::<_, f32>::new(RowMeans);
    opt.restore(&state(1, &[("last", 1.0), ("weight_sum", 2.0)]))
        .unwrap();
    assert_eq!(
        (opt.scalar("weight_sum"), opt.scalar("last")),
        (Some(2.0), Some(1.0))
    );
}

#[test]
fn messages_name_the_parameter() {
    let mut state = adam().named("layer.weight");
    state.tensors.truncate(1);
    refuses(
        Adam::default(),
        Storage::Full,
        &state.into(),
        "the tensor `exp_avg_sq` of `layer.weight` is missing: take the snapshot from an optimizer with the same options",
    );
}

#[test]
fn reduced_state_is_refused_by_another_storage_and_if_it_is_damaged() {
    let taken = |storage| {
        let mut opt = Optimizer::<_, f32>::with_storage(Adam::default(), storage);
        opt.step(&mut [1.0, 2.0], &[0.5, -0.5]).unwrap();
        opt.snapshot().parameters.remove(0)
    };
    let remedy =
        "make the optimizer with the type and the storage that the snapshot was taken with";
    for (kept, saved, expected) in [
        (
            Storage::Full,
            Storage::Bf16,
            "bf16, but the optimizer keeps f32",
        ),
        (
            Storage::Full,
            Storage::Bits8,
            "u8, but the optimizer keeps f32",
        ),
        (
            Storage::Bf16,
            Storage::Full,
            "f32, but the optimizer keeps bf16",
        ),
        (
            Storage::Bits8,
            Storage::Bf16,
            "bf16, but the optimizer keeps u8",
        ),
    ] {
        let message = format!("the tensor `exp_avg`: entries are {expected}: {remedy}");
        refuses(Adam::default(), kept, &taken(saved).into(), &message);
    }

    let mut state = taken(Storage::Bf16);
    state.tensors[1].bytes = vec![0x80, 0x3F, 0x80, 0xBF];
    refuses(
        Adam::default(),
        Storage::Bf16,
        &state.into(),
        "the tensor `exp_avg_sq`: entry 1 is -1, but no entry can be negative: the snapshot is damaged, use another copy",
    );
    let mut state = taken(Storage::Bits8);
    let names: Vec<_> = state.tensors.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "exp_avg",
            "exp_avg.scales",
            "exp_avg_sq",
            "exp_avg_sq.scales"
        ]
    );
    state.tensors[1] = StateTensor::new("exp_avg.scales", &[1], &[-1.0_f32]);
    refuses(
        Adam::default(),
        Storage::Bits8,
        &state.clone().into(),
        "the tensor `exp_avg.scales`: entry 0 is -1, but no entry can be negative: the snapshot is damaged, use another copy",
    );
    state.tensors.remove(1);
    refuses(
        Adam::default(),
        Storage::Bits8,
        &state.into(),
        "the tensor `exp_avg.scales` is missing: take the snapshot from an optimizer with the same options",
    );
}

#[test]
fn a_record_of_a_shape_that_the_rule_cannot_step_is_refused() {
    let mut opt = Optimizer::<_, f32>::new(RowMeans);
    let state = ParameterState::new::<f32>("row means", 1, &[1; 4]);
    let error = opt.restore(&state.into()).unwrap_err();
    let named = matches!(&error, Error::UnsupportedShape { shape, .. } if *shape == [1; 4]);
    assert!(named, "{error}");
}

#[test]
fn bytes_in_text_are_pairs_of_hexadecimal_digits() {
    let text = serde_json::to_string(&Snapshot::from(adam())).unwrap();
    let digits = "0000803f000080bf";
    assert!(text.contains(digits));
    for odd in [
        "0000803f000080b",
        "0000803f000080bff",
        "0000803f000080bg",
        "0000803f 00080bf",
        "é000803f000080bf",
    ] {
        let error = serde_json::from_str::<Snapshot>(&text.replace(digits, odd)).unwrap_err();
        let message = "the bytes of a tensor must be an even number of hexadecimal digits";
        assert!(error.to_string().starts_with(message), "{odd}: {error}");
    }
    let capitals = text.replace(digits, &digits.to_uppercase());
    assert_eq!(
        serde_json::from_str::<Snapshot>(&capitals).unwrap(),
        adam().into()
    );
}

#[test]
fn a_number_in_text_must_be_one() {
    let record = Snapshot::from(ParameterState::new::<f64>("x", 1, &[]).scalar("s", 0.5));
    let text = serde_json::to_string(&record).unwrap();
    let error = serde_json::from_str::<Snapshot>(&text.replace("\"0.5\"", "\"half\"")).unwrap_err();
    assert!(
        error.to_string().contains("expected a number as text"),
        "{error}"
    );
}

#[test]
fn a_rule_that_keeps_its_state_in_full_restores_no_reduced_state() {
    let mut opt = Optimizer::<_, f32>::with_storage(RowMeans, Storage::Bf16);
    let state = ParameterState::new::<f32>("row means", 1, &[2]);
    let error = opt.restore(&state.into()).unwrap_err();
    assert_eq!(error, Error::Storage { rule: "row means" });
}

#[test]
fn a_record_has_at_most_as_many_tensors_as_a_rule() {
    let mut opt = Optimizer::<_, f64>::new(AmsGrad::default());
    opt.step(&mut [1.0], &[1.0]).unwrap();
    let names: Vec<_> = opt.state_names().collect();
    let snapshot = opt.snapshot();
    let recorded: Vec<_> = snapshot.parameters[0]
        .tensors
        .iter()
        .map(|t| t.name.as_str())
        .collect();
    assert_eq!(recorded, names);
    assert!(names.len() <= MAX_STATE);
}

/// A model of three tensors, of which `head` rests in steps 2 and 3 and `late` until step 4.
struct Model {
    tensors: Vec<(&'static str, Shaped<f32>)>,
}

impl Model {
    fn new() -> Self {
        let tensor = |shape: &[usize]| Shaped::new(shape, table::start(shape.iter().product()));
        Self {
            tensors: vec![
                ("layer.weight", tensor(&[3, 5])),
                ("head", tensor(&[2])),
                ("late", tensor(&[4])),
            ],
        }
    }

    fn step<R: Fed>(&mut self, opt: &mut Groups<R, f32>, t: u64) -> Result<(), Error> {
        let gradient = |theta: &Shaped<f32>| {
            Shaped::new(&theta.shape, table::gradient(t, theta.entries.len()))
        };
        let grads: Vec<_> = self
            .tensors
            .iter()
            .map(|(_, theta)| gradient(theta))
            .collect();
        let params = self.tensors.iter_mut().zip(&grads);
        let mut params: Vec<_> = params
            .map(|((name, theta), grad)| match *name {
                "head" if t == 2 || t == 3 => Param::frozen(name, theta),
                "late" if t < 4 => Param::frozen(name, theta),
                _ => Param::new(name, theta, grad),
            })
            .collect();
        opt.step(&mut params)
    }
}

fn groups<R: Rule>(rule: R) -> Groups<R, f32> {
    Groups::new()
        .group("matrices", rule, |p| p.shape.len() == 2)
        .rest("others", rule)
}

struct ContinuesInGroups;

impl Visit for ContinuesInGroups {
    fn visit<R: Fed>(&mut self, case: &str, rule: R) {
        let shapes: [&[usize]; 3] = [&[3, 5], &[2], &[4]];
        if shapes.iter().any(|shape| rule.check_shape(shape).is_err()) {
            return;
        }
        for halt in [0, 1, 3, 5] {
            let (mut model, mut whole) = (Model::new(), groups(rule));
            for t in 1..=halt {
                model.step(&mut whole, t).unwrap();
            }
            let (halted, snapshot) = (model.tensors.clone(), whole.snapshot());
            for t in halt + 1..halt + 5 {
                model.step(&mut whole, t).unwrap();
            }
            for carried in round_trips(&snapshot) {
                assert_eq!(carried, snapshot, "{case} {halt}");
                let mut other = groups(rule);
                other.restore(&carried).unwrap();
                assert_eq!(other.snapshot(), snapshot, "{case} {halt}");
                // Neither the order in the record nor that of the list matters.
                let mut turned = carried.clone();
                turned.parameters.reverse();
                other.restore(&turned).unwrap();
                let mut tensors = halted.clone();
                tensors.rotate_left(1);
                let mut theirs = Model { tensors };
                for t in halt + 1..halt + 5 {
                    theirs.step(&mut other, t).unwrap();
                }
                theirs.tensors.rotate_right(1);
                for ((name, a), (_, b)) in model.tensors.iter().zip(&theirs.tensors) {
                    assert_eq!(bits(a), bits(b), "{case} {halt} {name}");
                }
                assert_eq!(other.snapshot(), whole.snapshot(), "{case} {halt}");
            }
        }
    }
}

#[test]
fn a_model_in_groups_continues_with_the_same_bits() {
    table::every_case(&mut ContinuesInGroups);
}

#[test]
fn one_record_fits_an_optimizer_and_a_model_of_one_tensor() {
    let mut opt = Optimizer::<_, f32>::new(Adam::default());
    opt.step(&mut [1.0, 2.0], &[0.5, 0.25]).unwrap();
    let mut state = opt.snapshot().parameters.remove(0);
    state.name = "w".into();
    let mut model = groups(Adam::default());
    model.restore(&state.into()).unwrap();
    assert_eq!(model.state("w", "exp_avg"), opt.state("exp_avg"));
    let mut back = Optimizer::<_, f32>::new(Adam::default());
    back.restore(&model.snapshot()).unwrap();
    assert_eq!(back.snapshot(), opt.snapshot());
}
